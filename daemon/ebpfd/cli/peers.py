"""Who is at the far end of a connection, in listings."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ebpfd.cli.output import Json

if TYPE_CHECKING:
    from ebpfd_sdk import Peer


def peer_json(peer: "Peer | None") -> dict[str, Json] | None:
    """What is known for sure; None: nothing, or nobody is there."""
    known = peer and (peer.certificate or peer.process)
    return asdict(known) if known else None
