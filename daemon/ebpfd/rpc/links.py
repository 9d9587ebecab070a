"""The ``Links`` service."""

from typing import Any, Final, TypeAlias

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.host.links import Links
from ebpfd.host.services import Services
from ebpfd.objects import Link, LinkState, Objects
from ebpfd.rpc.attach_type import decode_attach_type
from ebpfd.rpc.programs import encode_counters
from ebpfd.rpc.status import answering
from ebpfd_api.v1 import links_pb2 as pb
from ebpfd_api.v1 import links_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_STATES: Final = {
    LinkState.INITIAL: pb.LINK_STATE_ATTACHING,
    LinkState.ATTACHING: pb.LINK_STATE_ATTACHING,
    LinkState.ATTACHED: pb.LINK_STATE_ATTACHED,
    LinkState.DETACHING: pb.LINK_STATE_DETACHING,
    LinkState.DETACHED: pb.LINK_STATE_DETACHING,
}


class LinksServicer(services_pb.LinksServicer):
    """Attach and detach programs."""

    def __init__(
        self, *, links: Links, objects: Objects, contracts: KnownContracts, services: Services
    ) -> None:
        self._links = links
        self._objects = objects
        self._contracts = contracts
        self._services = services

    async def Attach(self, request: pb.AttachRequest, context: _Context) -> pb.AttachResponse:
        """Attach a program to a hook."""
        del context
        response = pb.AttachResponse()
        with answering(response.status):
            link = await self._services.finish(
                self._links.attach(
                    request.program_id,
                    decode_attach_type(request.attach_type),
                    request.parameter,
                    request.prog_attach_flags,
                ),
                name="attach",
            )
            response.link.CopyFrom(self._encode(link))
        return response

    async def Detach(self, request: pb.DetachRequest, context: _Context) -> pb.DetachResponse:
        """Detach; returns when nothing of the link is in flight."""
        del context
        response = pb.DetachResponse()
        with answering(response.status):
            await self._services.finish(self._links.detach(request.id), name=f"detach {request.id}")
        return response

    async def List(self, request: pb.LinksListRequest, context: _Context) -> pb.LinksListResponse:
        """All links, in attach order."""
        del request, context
        return pb.LinksListResponse(links=[self._encode(each) for each in self._objects.links()])

    def _encode(self, link: Link) -> pb.Link:
        state = _STATES[link.state]
        if link.state is LinkState.ATTACHED and not link.binding:
            state = pb.LINK_STATE_WAITING
        return pb.Link(
            id=link.id,
            program_id=link.program.id,
            program_name=link.program.name,
            attach_type=link.attach_type.bytes,
            attach_type_name=self._contracts.name_of(link.attach_type),
            parameter=link.parameter,
            state=state,
            binding=link.binding,
            link_type=link.link_type,
            bpf_attach_type=link.bpf_attach_type,
            provider=link.provider,
            prog_attach_flags=link.prog_attach_flags,
            counters=encode_counters(link.tally.counters()),
        )
