"""How the daemon is: what it is and has, and what somebody should do something about."""

from dataclasses import dataclass

from ebpfd_api.v1 import daemon_pb2


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be."""

    kind: str
    """In one word, such as ``links`` or ``disk``; ``daemon.proto`` has all of them."""

    told: str
    """What it is, in one line."""

    advice: str
    """What to do next."""

    ids: tuple[int, ...] = ()
    """Of the programs, links or maps that it is about."""


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What the daemon says of itself; without ``troubles`` all is well."""

    version: str
    process_id: int
    started_ns: int
    """Since the epoch."""

    uptime_ns: int
    addresses: tuple[str, ...]
    """Where it listens: ``unix:PATH``, ``tls:HOST:PORT``."""

    certificate_expires_ns: int | None
    """Since the epoch; None: it has no certificate."""

    state: str
    """The state directory; empty: nothing outlives the daemon."""

    state_free_bytes: int | None
    """What it can still have on the disk of its state directory; None: it has none."""

    extensions: int
    """Hosted ones, and others that are connected."""

    hooks: int
    """That are known, whether their extensions are there or not."""

    programs: int
    links: int
    maps: int
    pins: int
    owners: int
    """Clients that hold objects."""

    troubles: tuple[Trouble, ...] = ()
    """Those that concern everybody come first."""


def status_of(message: daemon_pb2.DaemonStatusResponse) -> DaemonStatus:
    """What the daemon has answered."""
    counts = message.counts
    return DaemonStatus(
        version=message.version,
        process_id=message.process_id,
        started_ns=message.started_ns,
        uptime_ns=message.uptime_ns,
        addresses=tuple(message.addresses),
        certificate_expires_ns=(
            message.certificate_expires_ns if message.HasField("certificate_expires_ns") else None
        ),
        state=message.state,
        state_free_bytes=(
            message.state_free_bytes if message.HasField("state_free_bytes") else None
        ),
        extensions=counts.extensions,
        hooks=counts.hooks,
        programs=counts.programs,
        links=counts.links,
        maps=counts.maps,
        pins=counts.pins,
        owners=counts.owners,
        troubles=tuple(
            Trouble(each.kind, each.told, each.advice, tuple(each.ids)) for each in message.troubles
        ),
    )
