"""``ebpfd demo``: the whole path once, with real processes, and every figure counted.

A daemon runs as a child and hosts the sample extension, which plays a capture file through its
hook; a program that clang compiled decides about each packet.
"""

import asyncio
import json
import shlex
import tempfile
import time
from contextlib import aclosing
from importlib.resources import files
from pathlib import Path
from typing import Final, TypedDict

import click

from ebpfd.cli import children
from ebpfd.cli.rejections import print_rejection
from ebpfd_sdk import Client, EbpfdError, ExtensionState, OutputStream, Program, VerificationFailed

EXTENSION: Final = "ebpfd_extensions.sample"

UNSAFE: Final = ("null_map_value", "out_of_bounds", "unknown_helper")

VERDICTS: Final = {0: "pass", 1: "drop, malformed", 42: "not IPv4"}
PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 0xFFFFFFFE: "not IPv4", 0xFFFFFFFF: "malformed"}


class Report(TypedDict):
    """What the extension counted."""

    packets: int
    invocations: int
    messages_sent: int
    messages_received: int
    verdicts: dict[str, int]
    seconds: float


class BrokenDemoError(Exception):
    """Something that the demo counts does not add up."""


def run_demo(packets: int) -> int:
    """Run it; the process's exit code."""
    try:
        asyncio.run(_demo(packets))
    except (BrokenDemoError, children.ChildError, EbpfdError, TimeoutError) as error:
        click.echo(f"the demo failed: {error or type(error).__name__}", err=True)
        return 1
    return 0


async def _demo(packets: int) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ebpfd-demo-") as name:
        folder = Path(name)
        capture = folder / "packets.pcap"
        await children.finished(
            "-m", f"{EXTENSION}.capture", str(capture), "--packets", str(packets)
        )
        address = f"unix:{folder / 'ebpfd.sock'}"
        replaying = shlex.join([EXTENSION, "--replay", str(capture)])
        async with (
            children.daemon(address, folder, "--extension", replaying) as daemon,
            Client(address) as client,
        ):
            _say(f"daemon: process {daemon.pid}, {address}")
            await _show_extension(client)
            await _run_packets(client, packets)
            await _show_refusals(client)
            await children.stop("daemon", daemon)
    _say(f"all of it took {time.monotonic() - began:.1f} s")


async def _show_extension(client: Client) -> None:
    (extension,) = await client.extensions()
    if extension.state is not ExtensionState.RUNNING:
        raise BrokenDemoError(f"the extension is {extension.state.name}: {extension.reason}")
    _say(f"extension: process {extension.process_id}, a program of its own, hosted by the daemon")
    for each in extension.provides:
        _say(f'registered: {each.npi_name} "{each.module_name}" {each.module}')


async def _run_packets(client: Client, packets: int) -> None:
    program = next(iter((await client.load(str(_object("count.o")))).values()))
    _say(
        f"verified and loaded: program {program.id} {program.name}, "
        f"{program.instruction_count} instructions that clang made of count.c"
    )
    link = await program.attach("sample_ext")
    _say(f"attached: link {link.id} on hook {link.attach_type_name}, binding {link.binding}")
    report = await _report(client)
    _say(f"{report['packets']} packets through the hook in {report['seconds']:.2f} s:")
    _say(
        f"  {report['invocations']} invocations in {report['messages_sent']} messages there "
        f"and {report['messages_received']} back on one gRPC stream"
    )
    for verdict, times in sorted(report["verdicts"].items()):
        _say(f"  verdict {VERDICTS.get(int(verdict), verdict)}: {times}")
    counted = await _show_map(program)
    ran = (await client.program(program.id)).counters.runs
    if not packets == report["packets"] == report["invocations"] == ran == counted:
        raise BrokenDemoError(
            f"{packets} packets, {report['invocations']} invocations, {ran} runs, {counted} counted"
        )
    await link.detach()
    left = await client.links()
    _say(f"detached: {len(left)} links are left; the program ran {ran} times")
    await program.unload()


async def _show_map(program: Program) -> int:
    entries = await program.maps["by_protocol"].items()
    numbers = sorted(
        (int.from_bytes(key, "little"), int.from_bytes(value, "little")) for key, value in entries
    )
    _say("  the program's own map by_protocol:")
    for protocol, times in numbers:
        _say(f"    {PROTOCOLS.get(protocol, f'protocol {protocol}'):<10} {times}")
    return sum(times for _, times in numbers)


async def _show_refusals(client: Client) -> None:
    for name in UNSAFE:
        try:
            await client.load(str(_object(f"unsafe/{name}.o")))
        except VerificationFailed as refused:
            _say("refused, as it must be:")
            for rejection in refused.rejections:
                print_rejection(rejection)
        else:
            raise BrokenDemoError(f"an unsafe program was loaded: {name}")


def _object(name: str) -> Path:
    return Path(str(files(EXTENSION))) / "programs" / name


async def _report(client: Client) -> Report:
    async with (
        asyncio.timeout(children.PATIENCE_S),
        aclosing(client.extension_output("sample", follow=True)) as lines,
    ):
        async for line in lines:
            if line.stream is OutputStream.STDOUT:
                report: Report = json.loads(line.text)
                return report
    raise BrokenDemoError("the extension ended without its report")


def _say(line: str) -> None:
    click.echo(line)
