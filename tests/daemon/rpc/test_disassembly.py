"""Instructions over the wire: of what is loaded, and of a file."""

from pathlib import Path
from typing import Any

import pytest

from ebpfd.rpc import programs as servicer
from ebpfd_api.result import Result
from ebpfd_api.v1 import programs_pb2 as pb
from tests.daemon.host.world import object_file
from tests.daemon.rpc.wire import Wire, serving


async def answers(w: Wire, **request: Any) -> list[pb.DisassembleResponse]:
    """All messages of one answer."""
    return [each async for each in w.programs.Disassemble(pb.DisassembleRequest(**request))]


async def test_a_file_is_disassembled_without_any_extension(tmp_path: Path) -> None:
    """Each instruction with its bytes, its line, and the names of what it refers to."""
    async with serving(tmp_path) as w:
        (answer,) = await answers(w, object=object_file("count.o"))
        assert (answer.program, answer.section) == ("count_by_protocol", "sample_ext")
        rows = answer.instructions
        assert rows[0].label == "count_by_protocol"
        assert [row.pc for row in rows][:2] == [0, len(rows[0].raw) // 8]
        (by_map,) = {row.reference for row in rows if len(row.raw) == 16}
        assert by_map == "by_protocol"
        (lookup, *_) = [row.reference for row in rows if row.text == "call helper 1"]
        assert lookup == "bpf_map_lookup_elem"
        assert rows[0].source.file.endswith("count.c")
        assert rows[0].source.line > 0


async def test_a_loaded_program_is_disassembled_as_it_runs(tmp_path: Path) -> None:
    """By its id; its instructions are those whose hash it is listed with."""
    async with serving(tmp_path) as w:
        module = await w.module("sample")
        await module.provide()
        request = pb.LoadRequest(object=object_file("count.o"))
        (program,) = (await module.during(w.programs.Load(request))).programs
        (loaded,) = await answers(w, id=program.id)
        assert sum(len(row.raw) for row in loaded.instructions) == program.instruction_count * 8
        assert [loaded] == await answers(w, object=object_file("count.o"))


async def test_long_programs_come_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is too large for a message."""
    monkeypatch.setattr(servicer, "ROWS_A_MESSAGE", 4)
    async with serving(tmp_path) as w:
        pieces = await answers(w, object=object_file("count.o"))
        assert {each.program for each in pieces} == {"count_by_protocol"}
        assert [len(each.instructions) for each in pieces[:-1]] == [4] * (len(pieces) - 1)
        pcs = [row.pc for each in pieces for row in each.instructions]
        assert pcs == sorted(set(pcs))


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({}, Result.INVALID_ARGUMENT, "subject: say what to disassemble"),
        ({"id": 77}, Result.KEY_NOT_FOUND, "77"),
        ({"object": b"junk"}, Result.ELF_PARSING_FAILED, "no ELF file"),
        ({"id": 1, "programs": ["x"]}, Result.INVALID_ARGUMENT, "programs: a loaded program"),
        (
            {"object": object_file("count.o"), "programs": ["other"]},
            Result.INVALID_ARGUMENT,
            'no program "other"',
        ),
    ],
    ids=["nothing", "unknown id", "no object", "id and names", "unknown name"],
)
async def test_what_cannot_be_disassembled_is_one_error(
    tmp_path: Path, request_: dict[str, Any], code: Result, said: str
) -> None:
    """It names the field, and nothing follows."""
    async with serving(tmp_path) as w:
        (answer,) = await answers(w, **request_)
        assert answer.status.code == code
        assert said in answer.status.message
