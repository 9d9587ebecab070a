"""The standard health service, whose watches end with the daemon."""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from ebpfd.rpc.streams import Streams


class HealthServicer(health.HealthServicer):
    """As gRPC's own; but for that, a watch would hold up the daemon's end."""

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self._streams = streams

    async def Watch(
        self,
        request: health_pb2.HealthCheckRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> None:
        """What the daemon's state is, and what it becomes."""
        if (watching := asyncio.current_task()) is not None:
            self._streams.opened(context, watching.cancel)
        try:
            await super().Watch(request, context)
        except asyncio.CancelledError:
            if not self._streams.closing:
                raise
