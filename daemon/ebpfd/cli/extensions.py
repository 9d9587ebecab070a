"""``ebpfctl extension``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_table
from ebpfd.cli.peers import peer_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ebpfd_sdk import Client, ExtensionInfo, OutputLine

COLUMNS = (
    "name",
    "hosted",
    "state",
    "since",
    "restarts",
    "process",
    "memory",
    "peer",
    "provides",
)

within = click.option(
    "--within",
    "within_s",
    type=click.FloatRange(min=0, max=120),
    metavar="SECONDS",
    help="How long it may take to leave, before it is killed.  [default: as configured]",
)


@click.group()
def extension() -> None:
    """Extensions: the processes that provide contracts.

    The daemon may host one: start it, look after it, stop it.
    """


@extension.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List extensions.  Hosted ones come first, in the order in which they start."""

    async def work(client: "Client") -> None:
        _emit(output, await client.extensions())

    output.run(work)


@extension.command()
@click.argument("name")
@click.pass_obj
def start(output: Output, name: str) -> None:
    """Start one that is hosted; returns when it has registered."""
    _change(output, lambda client: client.start_extension(name))


@extension.command()
@click.argument("name")
@within
@click.pass_obj
def stop(output: Output, name: str, within_s: float | None) -> None:
    """Let one leave, and keep it stopped; returns when it has ended."""
    _change(output, lambda client: client.stop_extension(name, within_s=within_s))


@extension.command()
@click.argument("name")
@within
@click.pass_obj
def restart(output: Output, name: str, within_s: float | None) -> None:
    """Stop one that is hosted, if it runs, and start it.  Returns when it has registered."""
    _change(output, lambda client: client.restart_extension(name, within_s=within_s))


@extension.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come.")
@click.pass_obj
def logs(output: Output, name: str, follow: bool) -> None:
    """Print what a hosted one wrote lately."""

    async def work(client: "Client") -> None:
        async for line in client.extension_output(name, follow=follow):
            output.emit_line(_fields(line), _text(line))

    output.follow(work)


def describe(each: "ExtensionInfo") -> dict[str, Json]:
    """An extension's fields."""
    return {
        "name": each.name,
        "hosted": each.hosted,
        "state": each.state.name.lower().replace("_", "-"),
        "since_ns": each.since_ns,
        "restarts": each.restarts,
        "process_id": each.process_id,
        "resident_bytes": each.resident_bytes,
        "reason": each.reason,
        "peer": peer_json(each.peer),
        "provides": [
            {
                "registration": module.registration,
                "contract": module.npi_name,
                "npi_id": str(module.npi),
                "module": module.module_name,
                "module_id": str(module.module),
                "bindings": module.binding_count,
            }
            for module in each.provides
        ],
    }


def _change(output: Output, change: "Callable[[Client], Awaitable[ExtensionInfo]]") -> None:
    async def work(client: "Client") -> None:
        _emit(output, [await change(client)])

    output.run(work)


def _emit(output: Output, extensions: "tuple[ExtensionInfo, ...] | list[ExtensionInfo]") -> None:
    output.emit(
        list(map(describe, extensions)),
        lambda: _print(extensions),
    )


def _print(extensions: "tuple[ExtensionInfo, ...] | list[ExtensionInfo]") -> None:
    print_table([_row(each) for each in extensions], COLUMNS)
    for each in extensions:
        if each.reason and each.state.name in ("BACKING_OFF", "FAILED"):
            echo(f"{each.name}: {each.reason}")


def _row(each: "ExtensionInfo") -> dict[str, Json]:
    moment = datetime.fromtimestamp(each.since_ns / 1e9, UTC).astimezone()
    return {
        "name": each.name,
        "hosted": each.hosted,
        "state": each.state.name.lower().replace("_", "-"),
        "since": f"{moment:%Y-%m-%d %H:%M:%S}",
        "restarts": each.restarts if each.hosted else None,
        "process": each.process_id or None,
        "memory": f"{each.resident_bytes >> 20} MiB" if each.resident_bytes else None,
        "peer": peer_json(each.peer),
        "provides": [f"{module.npi_name} {module.module_name}" for module in each.provides],
    }


def _fields(line: "OutputLine") -> dict[str, Json]:
    return {
        "time_ns": line.time_ns,
        "stream": line.stream.name.lower(),
        "text": line.text,
        "lost": line.lost,
    }


def _text(line: "OutputLine") -> str:
    moment = datetime.fromtimestamp(line.time_ns / 1e9, UTC).astimezone()
    lost = f"({line.lost} lines lost) " if line.lost else ""
    return f"{moment:%H:%M:%S.%f} {lost}{line.text}"
