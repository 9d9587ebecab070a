"""Packets for tests, as they come off an Ethernet."""

from typing import Final

_ETHERNET: Final = bytes(12) + b"\x08\x00"


def ipv4(protocol: int, payload: bytes = bytes(8)) -> bytes:
    """An Ethernet frame with an IPv4 packet."""
    header = bytes([0x45, 0, 0, 20 + len(payload), 0, 0, 0, 0, 64, protocol, 0, 0])
    return _ETHERNET + header + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + payload


UDP: Final = ipv4(17)
TCP: Final = ipv4(6, bytes(20))
MALFORMED: Final = _ETHERNET + b"\x45"
