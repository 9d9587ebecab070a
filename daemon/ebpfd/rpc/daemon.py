"""The ``Daemon`` service."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.host.extensions import Hosted
from ebpfd.host.stats import Reading, Stats
from ebpfd.host.trouble import Trouble
from ebpfd.host.troubles import LOOK_AT_MOST_S, Troubles
from ebpfd.rpc.session import Sessions
from ebpfd_api.v1 import daemon_pb2 as pb
from ebpfd_api.v1 import daemon_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_MOST_NS: Final = (1 << 64) - 1
"""In the year 2554; certificates that are to be good for ever end in 9999."""


@dataclass(slots=True)
class Standing:
    """What its start has settled: the version, where it listens, what it keeps."""

    version: str
    state: str = ""
    """The state directory; empty: nothing outlives the daemon."""

    tls_wanted: bool = False
    addresses: tuple[str, ...] = ()
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    """The addresses are known: some caller may be a little earlier."""

    @property
    def tls_off(self) -> bool:
        """Whether it does not listen over TLS, though it was to."""
        return self.tls_wanted and not any(each.startswith("tls:") for each in self.addresses)

    def serve(self, addresses: tuple[str, ...]) -> None:
        """It listens there."""
        self.addresses = addresses
        self.serving.set()


class DaemonServicer(services_pb.DaemonServicer):
    """How the daemon is."""

    def __init__(
        self,
        *,
        standing: Standing,
        stats: Stats,
        troubles: Troubles,
        hosted: Hosted,
        sessions: Sessions,
        contracts: KnownContracts,
        look_at_certificate: Callable[[], Awaitable[None]],
    ) -> None:
        self._standing = standing
        self._stats = stats
        self._troubles = troubles
        self._hosted = hosted
        self._sessions = sessions
        self._contracts = contracts
        self._look_at_certificate = look_at_certificate

    async def Status(
        self, request: pb.DaemonStatusRequest, context: _Context
    ) -> pb.DaemonStatusResponse:
        """Everything at one moment, after a look at what changes by itself."""
        del request, context
        await self._standing.serving.wait()
        await self._troubles.look_anew()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AT_MOST_S):
                await self._look_at_certificate()
        reading, standing = self._stats.read(), self._standing
        found = self._troubles.found(reading, tls_off=standing.tls_off)
        response = pb.DaemonStatusResponse(
            version=standing.version,
            process_id=os.getpid(),
            started_ns=reading.started_ns,
            uptime_ns=reading.uptime_ns,
            addresses=standing.addresses,
            state=standing.state,
            state_free_bytes=reading.state_free_bytes,
            counts=self._counts(reading),
            troubles=map(_trouble, found),
        )
        if reading.certificate_expiry_s is not None:
            expires_ns = int(reading.certificate_expiry_s * 1e9)
            response.certificate_expires_ns = max(0, min(expires_ns, _MOST_NS))
        return response

    def _counts(self, reading: Reading) -> pb.DaemonCounts:
        hosted = self._hosted.all()
        children = {module for each in hosted for module in each.modules}
        others = sum(module not in children for module in self._sessions.all())
        return pb.DaemonCounts(
            extensions=len(hosted) + others,
            hooks=sum(1 for _ in self._contracts.attach_types()),
            programs=len(reading.programs),
            links=len(reading.links),
            maps=len(reading.maps),
            pins=reading.pins,
            owners=reading.owners,
        )


def _trouble(trouble: Trouble) -> pb.Trouble:
    told = " ".join(trouble.told.split())  # what others give as a reason may have several lines
    return pb.Trouble(kind=trouble.kind, told=told, advice=trouble.advice, ids=trouble.ids)
