"""An extension that was started at a registrar without a daemon."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk.check._options import Options
from ebpfd_sdk.check._report import fail, within
from ebpfd_sdk.testing import ChildProcess
from ebpfd_sdk.testing._peer import Peer, status_name
from ebpfd_sdk.testing._registrar import ScriptedRegistrar

T = TypeVar("T")


@dataclass(slots=True)
class WireScene:
    """An extension that was started at a registrar without a daemon."""

    options: Options
    child: ChildProcess
    registrar: ScriptedRegistrar

    @property
    def peer(self) -> Peer:
        """The extension on the wire."""
        return self.registrar.peers[-1]

    def of(self, npi: UUID) -> dict[int, registrar_pb2.RegistrationInstance]:
        """Its registrations of one contract."""
        return {
            registration: instance
            for registration, instance in self.peer.registered.items()
            if instance.npi_id == npi.bytes
        }

    async def soon(self, what: str, work: Awaitable[T]) -> T:
        """Wait for the extension, but neither for ever nor for a dead one."""
        working = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(self.child.ended())
        try:
            both = asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
            await within(self.options.timeout_s, what, both)
            if not working.done():
                fail(self.child.failure(f"ended with exit code {self.child.exit_code}"))
            return working.result()
        finally:
            working.cancel()
            ending.cancel()
            await asyncio.wait((working, ending))

    async def attach(self, registration: int, parameter: bytes) -> int:
        """Attach a client that is welcome; return the binding."""
        asked = self.peer.attach(registration, parameter)
        answer, binding = await self.soon("the answer to attach", asked)
        if answer.status != NtStatus.SUCCESS:
            fail(
                f"{with_parameter(parameter)} it answered {status_name(answer.status)}"
                f"{': ' if answer.message else ''}{answer.message}; --parameter HEX names others"
            )
        return binding

    async def detach(self, binding: int) -> None:
        """Detach it and let it clean up."""
        await self.soon("the end of detach and cleanup", self.peer.detach(binding))


def with_parameter(parameter: bytes) -> str:
    """A link's parameter in a sentence."""
    return f"with parameter {parameter.hex()}" if parameter else "without a parameter"
