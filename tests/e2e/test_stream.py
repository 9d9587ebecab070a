"""The data stream as the wire has it, without the SDK."""

import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk import Program
from tests.e2e.world import World, world
from tests.raw_extension import ATTACH_TYPE, RawExtension, raw_extension

VERDICT = Path(__file__).parents[1] / "bench" / "programs" / "verdict.o"
EVENT = struct.pack("<QIIIIQQIIQQ", 1, 10, 20, 5, 6, 9000, 3, 0, 7, 100, 200)


@asynccontextmanager
async def bare(folder: Path) -> AsyncGenerator[tuple[World, RawExtension, Program, Any]]:
    """An extension on the bare stubs, a program that may be attached to its hook, its stream."""
    async with (
        world(folder) as w,
        grpc.aio.insecure_channel(w.address) as channel,
        raw_extension(channel) as extension,
    ):
        program = (await w.client.load(VERDICT))["verdict"]
        yield w, extension, program, extension.open_stream(channel)


async def test_a_batch_is_answered_in_columns(tmp_path: Path) -> None:
    """One code a byte, one result a u32 for each context; unchanged contexts stay away."""
    async with bare(tmp_path) as (_, extension, program, stream):
        await program.attach("bench_event")
        other = EVENT[:20] + (1).to_bytes(4, "little") + EVENT[24:]
        await stream.write(extension.request(EVENT + other + EVENT, 3))
        reply = hook_pb2.InvokeResponse.FromString(await stream.read())
        assert (reply.sequence, reply.code, reply.codes) == (1, 0, bytes(3))
        assert struct.unpack("<3I", reply.results) == (0, 1, 0)
        assert reply.contexts == b""


async def test_a_message_for_a_binding_that_is_gone(tmp_path: Path) -> None:
    """OBJECT_NOT_FOUND for a detached binding, one of another session, one made up."""
    async with bare(tmp_path) as (_, extension, program, stream):
        link = await program.attach("bench_event")
        await link.detach()
        for binding in (extension.binding, 4711):
            message = hook_pb2.InvokeRequest(sequence=9, binding=binding, contexts=EVENT)
            await stream.write(message.SerializeToString())
            reply = hook_pb2.InvokeResponse.FromString(await stream.read())
            assert (reply.sequence, reply.code) == (9, Result.OBJECT_NOT_FOUND)
            assert "gone" in reply.message
        again = await program.attach("bench_event")
        await stream.write(extension.request(EVENT, 1))
        reply = hook_pb2.InvokeResponse.FromString(await stream.read())
        assert (reply.code, reply.codes) == (0, b"\0"), "the stream goes on"
        assert again.binding == extension.binding


async def test_a_message_that_names_a_hook_runs_all_its_links(tmp_path: Path) -> None:
    """Those of the parameter, in their order; one that names nobody is INVALID_ARGUMENT."""
    async with bare(tmp_path) as (w, _, program, stream):
        links = [await program.attach("bench_event", parameter=each) for each in (b"", b"", b"1")]
        target = hook_pb2.HookTarget(attach_type=ATTACH_TYPE.bytes)
        for message, code in (
            (hook_pb2.InvokeRequest(sequence=3, hook=target, contexts=EVENT), Result.SUCCESS),
            (hook_pb2.InvokeRequest(sequence=3), Result.INVALID_ARGUMENT),
        ):
            await stream.write(message.SerializeToString())
            reply = hook_pb2.InvokeResponse.FromString(await stream.read())
            assert (reply.sequence, reply.code) == (3, code)
        runs = {each.id: each.counters.runs for each in await w.client.links()}
        assert [runs[each.id] for each in links] == [1, 1, 0]


async def test_a_stream_without_a_session_is_refused(tmp_path: Path) -> None:
    """The status is UNAUTHENTICATED, with the metadata's name."""
    async with world(tmp_path) as w, grpc.aio.insecure_channel(w.address) as channel:
        method = cast("Any", channel.stream_stream("/ebpfd_api.v1.Hook/Invoke"))
        stream = method()
        with pytest.raises(grpc.aio.AioRpcError, match="ebpfd-session") as caught:
            await stream.read()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
