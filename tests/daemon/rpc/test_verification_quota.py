"""Of files that are verified, loaded or disassembled for clients there are so many at a time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ebpfd.host.programs import Programs
from ebpfd.host.quotas import Quotas
from ebpfd_api.result import Result
from ebpfd_api.v1 import programs_pb2 as pb
from tests.daemon.host.world import object_file
from tests.daemon.rpc.wire import serving


async def test_files_beyond_their_quota_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is to be done with them; one that is through makes room."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def verify(*_: Any) -> list[Any]:
        asked.set()
        await go.wait()
        return []

    monkeypatch.setattr(Programs, "verify", verify)
    async with serving(tmp_path, quotas=Quotas(verifications=1)) as w:
        file = object_file("count.o")
        judging = asyncio.ensure_future(w.programs.Verify(pb.VerifyRequest(object=file)))
        await asked.wait()
        refused: list[Any] = [
            w.programs.Verify(pb.VerifyRequest(object=file)),
            w.programs.Load(pb.LoadRequest(object=file)),
            w.programs.Reload(pb.ReloadRequest(id=2)),
            w.programs.Disassemble(pb.DisassembleRequest(object=file)).read(),
        ]
        for beyond in refused:
            status = (await beyond).status
            assert status.code == Result.NO_MEMORY
            assert "there are 1 verifications, and may be 1: wait for some" in status.message
        go.set()
        assert (await judging).status.code == Result.SUCCESS
        again = await w.programs.Verify(pb.VerifyRequest(object=file))
        assert again.status.code == Result.SUCCESS
