"""The ``Shadows`` service."""

from typing import Any, TypeAlias

import grpc

from ebpfd.host.shadows import Shadow, Shadows
from ebpfd.rpc.status import answering
from ebpfd_api.v1 import shadows_pb2 as pb
from ebpfd_api.v1 import shadows_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ShadowsServicer(services_pb.ShadowsServicer):
    """Programs beside those of links."""

    def __init__(self, shadows: Shadows) -> None:
        self._shadows = shadows

    async def Set(self, request: pb.ShadowsSetRequest, context: _Context) -> pb.ShadowsSetResponse:
        """Put a program beside a link's own."""
        del context
        response = pb.ShadowsSetResponse()
        with answering(response.status):
            shadow = await self._shadows.set(
                request.link_id, request.program_id, request.share_percent
            )
            response.shadow.CopyFrom(_encode(shadow))
        return response

    async def Clear(
        self, request: pb.ShadowsClearRequest, context: _Context
    ) -> pb.ShadowsClearResponse:
        """Take it away."""
        del context
        response = pb.ShadowsClearResponse()
        with answering(response.status):
            response.shadow.CopyFrom(_encode(await self._shadows.clear(request.link_id)))
        return response

    async def Get(self, request: pb.ShadowsGetRequest, context: _Context) -> pb.ShadowsGetResponse:
        """What has come of it."""
        del context
        response = pb.ShadowsGetResponse()
        with answering(response.status):
            response.shadow.CopyFrom(_encode(self._shadows.get(request.link_id)))
        return response


def _encode(shadow: Shadow) -> pb.Shadow:
    return pb.Shadow(
        link_id=shadow.link.id,
        program_id=shadow.program.id,
        program_name=shadow.program.name,
        events=shadow.events,
        differing=shadow.differing,
        dropped=shadow.dropped,
        share_percent=shadow.share_percent,
        skipped=shadow.skipped,
        unknown=shadow.unknown,
        stopped=shadow.stopped,
        recent=[
            pb.ShadowDifference(
                event=each.event,
                context=each.context,
                data=each.data,
                code=each.was[0],
                result=each.was[1],
                shadow_code=each.shadow[0],
                shadow_result=each.shadow[1],
            )
            for each in shadow.recent
        ],
    )
