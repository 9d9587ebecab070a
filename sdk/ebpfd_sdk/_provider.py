"""What a session needs of anything that an extension registers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import ceil
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2, registrar_pb2
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._fire import fire_return
from ebpfd_sdk._helper import Helper


class Provider(ABC):
    """A provider module: the registrar's view of a program type or a hook."""

    guid: UUID
    """Its module id."""

    label: str
    """What people call it, in messages."""

    @abstractmethod
    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Say of itself what its clients decide by."""

    async def attach(self, callback: registrar_pb2.AttachCallback) -> registrar_pb2.BindingSide:
        """Take a client, or raise Refused."""
        side = registrar_pb2.BindingSide(binding_context=callback.binding.to_bytes(8, "little"))
        for id_, helper in self.helpers().items():
            if helper.deadline_s is not None:
                side.dispatch.version = 1
                side.dispatch.deadlines.add(id=id_, deadline_ms=ceil(helper.deadline_s * 1000))
        return side

    async def detach(self, binding: int) -> None:  # noqa: B027 (most keep nothing of a client)
        """Let go of a client: nothing is in flight when it returns."""

    def described(  # noqa: B027 (same)
        self, binding: int, client: registrar_pb2.RegistrationInstance
    ) -> None:
        """Hear what a client says of itself now."""

    async def offered(self, binding: int) -> None:  # noqa: B027 (only hooks run programs)
        """Take the program of a client to run it here, if that is possible."""

    def open(self) -> None:  # noqa: B027 (only hooks have a gate)
        """Let invocations through."""

    def registered(self) -> None:  # noqa: B027 (same)
        """Hear that all clients that waited for it have attached."""

    def close(self, reason: str) -> None:  # noqa: B027 (same)
        """Answer every further invocation with CANCELED."""

    def lost(self, reason: str) -> None:  # noqa: B027 (same)
        """Say that there is no daemon: further invocations reach nobody until ``open``."""

    async def drained(self) -> None:  # noqa: B027 (same)
        """Wait until every invocation that was started is answered."""

    def helpers(self) -> Mapping[int, Helper]:
        """Offer functions to programs."""
        return {}

    def has_map(self, map_context: bytes) -> bool:  # noqa: ARG002 (only map types have any)
        """Whether it keeps the map of that context."""
        return False

    async def call_map(self, call: registrar_pb2.MapCall) -> registrar_pb2.MapReturn:
        """Do what the daemon asks for a map."""
        message = f"{self.label} is no map type: it has no map {call.map_id}"
        return registrar_pb2.MapReturn(result=Result.INVALID_OBJECT, message=message)

    async def call_context(
        self,
        call: registrar_pb2.ContextCall,  # noqa: ARG002 (only program types have any)
    ) -> registrar_pb2.ContextReturn:
        """Make or end the context of a test run."""
        message = f"{self.label} is no program type"
        return registrar_pb2.ContextReturn(result=Result.INVALID_ARGUMENT, message=message)

    async def answer(self, fire: hook_pb2.Fire) -> hook_pb2.FireReturn:
        """Run a client's fire."""
        refusal = Columns(Result.OBJECT_NOT_FOUND, f"{self.label} is no hook")
        return fire_return(fire.fire_id, refusal)


class Declaration(ABC):
    """Something that an extension declares and registers: a program type or a hook."""

    name: str
    guid: UUID
    hosted: bool = False
    """The daemon provides it: only hooks may be so."""

    async def host(self, address: str, certificates: Certificates | None) -> None:
        """Let the daemon provide it; for the extension, not for authors."""
        raise NotImplementedError

    @abstractmethod
    def provider(self, streams: DataStreams) -> Provider:
        """Make the registrar's view of it; for the extension, not for authors."""
