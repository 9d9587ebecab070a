"""Captures in the classic pcap format, both byte orders, seconds in micro- or nanoseconds.

file     magic u32, major u16, minor u16, zone i32, accuracy u32, snap length u32, link u32
packet   seconds u32, fraction u32, captured length u32, original length u32, bytes
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

MICROSECONDS: Final = 0xA1B2C3D4
NANOSECONDS: Final = 0xA1B23C4D
ETHERNET: Final = 1
LONGEST: Final = 262_144
"""No tool writes longer packets; a greater length means that the file is damaged."""

_FILE: Final = "IHHiIII"
_PACKET: Final = "IIII"


class CaptureError(ValueError):
    """A file is no capture, or a damaged one."""


def read(capture: bytes) -> Iterator[bytes]:
    """Give the packets of a capture of Ethernet frames, in order."""
    order = _byte_order(capture)
    header = struct.Struct(order + _FILE)
    if len(capture) < header.size:
        raise CaptureError(f"the capture ends within its header, after {len(capture)} bytes")
    link = header.unpack_from(capture)[-1] & 0x0FFF_FFFF
    if link != ETHERNET:
        raise CaptureError(f"the capture has link type {link}; only Ethernet (1) is read here")
    packet, at, number = struct.Struct(order + _PACKET), header.size, 0
    while at < len(capture):
        number += 1
        if len(capture) - at < packet.size:
            raise CaptureError(f"the capture ends within the header of packet {number}")
        length: int = packet.unpack_from(capture, at)[2]
        at += packet.size
        if length > LONGEST:
            raise CaptureError(f"packet {number} claims {length} bytes: the capture is damaged")
        if len(capture) - at < length:
            raise CaptureError(f"the capture ends within packet {number}")
        yield capture[at : at + length]
        at += length


def write(packets: Iterable[bytes]) -> bytes:
    """Make a capture; packets follow each other by a millisecond from the epoch on."""
    parts = [struct.pack("<" + _FILE, MICROSECONDS, 2, 4, 0, 0, LONGEST, ETHERNET)]
    for number, packet in enumerate(packets):
        seconds, milliseconds = divmod(number, 1000)
        length = len(packet)
        parts.append(struct.pack("<" + _PACKET, seconds, 1000 * milliseconds, length, length))
        parts.append(packet)
    return b"".join(parts)


def _byte_order(capture: bytes) -> str:
    for order in "<>":
        if len(capture) >= 4 and struct.unpack_from(f"{order}I", capture)[0] in {
            MICROSECONDS,
            NANOSECONDS,
        }:
            return order
    if capture.startswith(b"\x0a\x0d\x0d\x0a"):
        raise CaptureError("this is a pcapng file: convert it, as in `editcap -F pcap IN OUT`")
    raise CaptureError("this is no pcap file: it does not begin with a pcap magic number")
