"""What a module and the daemon agree on before anything else."""

from dataclasses import dataclass
from typing import Final

from ebpfd_api import protocol
from ebpfd_api.v1 import registrar_pb2

CAPABILITIES: Final = (protocol.LEASE,)
"""What this daemon knows of; a module may offer anything."""


class OtherProtocolError(Exception):
    """The module speaks another major version."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides keep to."""

    minor: int
    capabilities: tuple[str, ...]

    @property
    def leased(self) -> bool:
        """Whether silence means that the module is gone."""
        return protocol.LEASE in self.capabilities


def agree(hello: registrar_pb2.Hello, daemon_version: str) -> Terms:
    """The terms for this module; ``OtherProtocolError`` if there are none."""
    if hello.protocol_version != protocol.MAJOR:
        raise OtherProtocolError(
            f"protocol version {hello.protocol_version} is not {protocol.MAJOR}: "
            f"use an SDK made for ebpfd {daemon_version}"
        )
    offered = set(hello.capabilities)
    return Terms(
        minor=min(hello.protocol_minor, protocol.MINOR),
        capabilities=tuple(each for each in CAPABILITIES if each in offered),
    )
