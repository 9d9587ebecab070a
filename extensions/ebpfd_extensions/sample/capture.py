"""Make a capture to replay: the same arguments always give the same file.

    python -m ebpfd_extensions.sample.capture FILE [--packets 10000] [--seed 1]

Most packets are well-formed TCP, UDP and ICMP over IPv4; every tenth or so is broken in one of
five ways, or is no IPv4 at all.
"""

import argparse
import random
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ebpfd_extensions.sample import pcap

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
MALFORMED_SHARE: Final = 0.1


def packets(count: int, seed: int) -> Iterator[bytes]:
    """Make *count* packets."""
    chance = random.Random(seed)  # noqa: S311 (it must repeat, not surprise)
    for _ in range(count):
        packet = _well_formed(chance)
        yield chance.choice(BREAKS)(packet) if chance.random() < MALFORMED_SHARE else packet


def _well_formed(chance: random.Random) -> bytes:
    protocol = chance.choices((TCP, UDP, ICMP), weights=(6, 3, 1))[0]
    payload = chance.randbytes(chance.randrange(200))
    body = _transport(chance, protocol, len(payload)) + payload
    return _ethernet(chance, IPV4) + _ipv4(chance, protocol, len(body)) + body


def _ethernet(chance: random.Random, ethertype: int) -> bytes:
    # The second bit of the first byte marks addresses that nobody assigned.
    station = b"\x02" + chance.randbytes(5)
    return station + b"\x02\0\0\0\0\x01" + struct.pack(">H", ethertype)


def _ipv4(chance: random.Random, protocol: int, length: int) -> bytes:
    source, target = b"\x0a" + chance.randbytes(3), b"\xc0\xa8\0\x01"
    start = struct.pack(
        ">BBHHHBB", 0x45, 0, 20 + length, chance.randrange(1 << 16), 0, 64, protocol
    )
    checksum = _checksum(start + b"\0\0" + source + target)
    return start + struct.pack(">H", checksum) + source + target


def _transport(chance: random.Random, protocol: int, length: int) -> bytes:
    port = chance.randrange(1024, 1 << 16)
    if protocol == TCP:
        number = chance.randrange(1 << 32)
        return struct.pack(">HHIIBBHHH", port, 443, number, 0, 5 << 4, 0x18, 65535, 0, 0)
    if protocol == UDP:
        return struct.pack(">HHHH", port, 53, 8 + length, 0)
    return struct.pack(">BBHHH", 8, 0, 0, port, 1)


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _empty(_: bytes) -> bytes:
    return b""


def _cut_in_ethernet(packet: bytes) -> bytes:
    return packet[:9]


def _cut_in_ipv4(packet: bytes) -> bytes:
    return packet[:25]


def _short_header_length(packet: bytes) -> bytes:
    return packet[:14] + b"\x43" + packet[15:]


def _long_header_length(packet: bytes) -> bytes:
    return packet[:14] + b"\x4f" + packet[15:50]


def _not_ipv4(packet: bytes) -> bytes:
    return packet[:12] + struct.pack(">H", IPV6) + packet[14:]


BREAKS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    _empty,
    _cut_in_ethernet,
    _cut_in_ipv4,
    _short_header_length,
    _long_header_length,
    _not_ipv4,
)


def main() -> None:
    """Write a capture where the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m ebpfd_extensions.sample.capture",
        description=(__doc__ or "").splitlines()[0],
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--packets", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    arguments.file.write_bytes(pcap.write(packets(arguments.packets, arguments.seed)))
    sys.stderr.write(f"{arguments.packets} packets written to {arguments.file}\n")


if __name__ == "__main__":
    main()
