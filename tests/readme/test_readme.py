"""What the README shows works as it stands there."""

import asyncio
import os
import re
import shlex
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from ebpfd.contracts.c_header import c_header
from ebpfd.host.general import general_prototypes
from ebpfd.rpc.contract_codec import decode_program_data
from tests.e2e.world import PROGRAMS, Ran, command, sample, world

HERE = Path(__file__).parent
README = (HERE.parents[1] / "README.md").read_text()


def block(name: str) -> str:
    """The code block that the README marks with *name*."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block {name}"
    return found[1]


def test_the_header_is_the_one_that_is_exported() -> None:
    """The programs were compiled with what the extension of the README declares."""
    namespace: dict[str, Any] = {"__name__": "uploads"}
    exec(block("uploads.py"), namespace)  # noqa: S102 (it is ours)
    data = decode_program_data(namespace["uploads"].program_data())
    assert c_header(data, general_prototypes()) == (HERE / "upload.h").read_bytes()


@pytest.mark.parametrize("name", ["uploads.c", "reports.c"])
def test_the_program_is_the_one_that_was_compiled(name: str) -> None:
    """The C block is the source of the object that the next test loads."""
    assert block(name) == (HERE / name).read_text()


def test_the_examples_are_as_short_as_they_claim() -> None:
    """40 lines for an extension, a dozen for a client."""
    assert len(block("uploads.py").splitlines()) <= 40
    assert len([line for line in block("client.py").splitlines() if line.strip()]) <= 10
    for code in re.findall(r"```\w+\n(.*?)```", README, re.DOTALL):
        assert len(code.splitlines()) <= 40
        assert max(map(len, code.splitlines())) <= 100


async def test_extension_and_client_work_together(tmp_path: Path) -> None:
    """The extension decides by the program that the client attaches."""
    (tmp_path / "uploads.py").write_text(block("uploads.py"))
    for name in ("client", "reports", "keep"):
        (tmp_path / f"{name}.py").write_text(block(f"{name}.py"))
    for name in ("uploads.o", "reports.o"):
        shutil.copy(HERE / name, tmp_path)
    async with world(tmp_path) as w:
        environment = {**os.environ, "EBPFD_ADDRESS": w.address}
        extension = await asyncio.create_subprocess_exec(
            sys.executable, "uploads.py", stdout=PIPE, stderr=PIPE, cwd=tmp_path, env=environment
        )
        assert extension.stderr is not None
        assert extension.stdout is not None
        async with asyncio.timeout(60):
            assert b"connected" in await extension.stderr.readline()
            for script, said in {
                "client.py": b"ATTACHED SUCCESS 0\n",
                "reports.py": b"['uploaded'] lost: 0\n",
                "keep.py": b"BPF:\\uploads\\quota True False\n",
            }.items():
                client = await asyncio.create_subprocess_exec(
                    sys.executable, script, stdout=PIPE, cwd=tmp_path, env=environment
                )
                out, _ = await client.communicate()
                assert out == said
            lines = [(await extension.stdout.readline()).decode() for _ in range(3)]
            extension.terminate()
            assert await extension.wait() == 0
    assert lines == [
        "small of user 1 accepted\n",
        "large of user 1 refused\n",
        "large of user 7 accepted\n",
    ]


async def test_a_recording_is_made_and_run_again_by_hand(tmp_path: Path) -> None:
    """The README's lines, with a program of the sample's in place of the reader's."""
    lines = [line.split("#")[0].strip() for line in README.splitlines()]
    wanted = ("ebpfctl hook record ", "ebpfctl replay ")
    steps = [shlex.split(line)[1:] for line in lines if line.startswith(wanted)]
    count = str(PROGRAMS / "count.o")
    paths = {"events.rec": str(tmp_path / "events.rec"), "new.o:parse": count}
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(count)).values()
        await program.attach("sample_ext")
        ran = [await w.ctl(*(paths.get(word, word) for word in step)) for step in steps]
    assert [each.out.split(": ")[-1] for each in ran] == ["0 events\n", *["no difference\n"] * 2]


async def test_a_shadow_is_set_by_hand(tmp_path: Path) -> None:
    """The README's lines, with the ids that there are."""
    lines = [line.split("#")[0].strip() for line in README.splitlines()]
    steps = [shlex.split(line)[1:] for line in lines if line.startswith("ebpfctl link shadow ")]
    async with world(tmp_path) as w, sample(w):
        program, beside = [
            next(iter((await w.client.load(PROGRAMS / "count.o")).values())) for _ in range(2)
        ]
        link = await program.attach("sample_ext")
        ids = {"4": str(link.id), "8": str(beside.id)}
        ran = [await w.ctl(*(ids.get(word, word) for word in step)) for step in steps]
    assert [each.code for each in ran] == [0] * 3
    shown = ["program", str(beside.id)]
    assert all(shown in [line.split() for line in each.out.splitlines()] for each in ran)


async def test_the_first_steps_by_hand(tmp_path: Path) -> None:
    """Each ``ebpfctl`` line of the README, in its order, on a fresh daemon."""
    lines = [line.split("#")[0].strip() for line in README.splitlines()]
    steps = [shlex.split(line)[1:] for line in lines if line.startswith("ebpfctl ")]
    # Hosted extensions, kept states and recordings are tested where there are any.
    steps = [step for step in steps if step[0] not in ("extension", "state", "replay")]
    apart = (["hook", "record"], ["link", "shadow"], ["program", "load", "new.o"])
    steps = [step for step in steps if step[:3] not in apart and step[:2] not in apart]
    assert len(steps) == 37
    file = str(tmp_path / "ingress.json")
    steps = [[file if word == "ingress.json" else word for word in step] for step in steps]
    async with world(tmp_path) as w, sample(w):
        ran: list[Ran] = [
            await command("ebpfctl", *step, EBPFD_ADDRESS=w.address) for step in steps
        ]
    assert [each.code for each in ran] == [0] * 37, [each.err for each in ran]
    assert ran[2].out == "result 1: 3 times\n", "a truncated packet is malformed"
    assert "by_protocol" in ran[3].out
    assert ran[8].out == "2a000000  42\n"
    assert "count_by_protocol" in ran[10].out
    assert "trace_event" in ran[12].out
    assert ran[13].out == "detached: 6\n"
    assert "timeout=42, error=1, overload=open" in ran[16].out
    assert "break_after=5, retry_after=30.0, state=whole" in ran[17].out
    assert "XDP_DROP = 2" in ran[20].out
    assert ran[21].out == "no difference\n"
    assert re.fullmatch(r"program 2 is now \d+\n", ran[22].out)
    assert "daemon" in ran[25].out
    assert "ingress" in ran[28].out
    assert "BPF:\\jobs" in ran[30].out
    assert "BPF:\\counts" in ran[33].out
    assert ran[34].out.endswith("\nall is well\n")
    assert "count_by_protocol" in ran[35].out
    assert "programs" in ran[36].out
