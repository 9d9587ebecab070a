"""The peer that streams are measured against: a bare grpc.aio echo, in a process of its own.

Run as ``python tests/bench/echo.py ADDRESS``; prints ``up`` when it serves.
"""

import sys
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import uvloop

METHOD = "/bench.Echo/Stream"
BURN = "burn-ns"
"""Metadata: nanoseconds that the handler burns on each message before it answers."""


async def echo(
    requests: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]"
) -> None:
    """Send every message back."""
    metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
    burn_ns = int(metadata.get(BURN, 0))
    async for message in requests:
        if burn_ns:
            end = time.perf_counter_ns() + burn_ns
            while time.perf_counter_ns() < end:
                pass
        await context.write(message)


async def serve(address: str) -> None:
    """Serve until killed."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)])
    handler = cast("Any", grpc.stream_stream_rpc_method_handler(echo))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Echo", {"Stream": handler}),)
    )
    server.add_insecure_port(address)
    await server.start()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
