"""Captures: what is written reads back, and damage is named."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd_extensions.sample import pcap


@given(st.lists(st.binary(max_size=64)))
def test_packets_survive(packets: list[bytes]) -> None:
    """Any packets, empty ones too, read back as they were written."""
    assert packets == list(pcap.read(pcap.write(packets)))


def _capture(order: str, magic: int, packet: bytes, *, link: int = pcap.ETHERNET) -> bytes:
    return (
        struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
        + struct.pack(f"{order}IIII", 1, 2, len(packet), 1500)
        + packet
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [pcap.MICROSECONDS, pcap.NANOSECONDS])
def test_all_byte_orders_are_read(order: str, magic: int) -> None:
    """The magic number tells order and unit; the captured length counts, not the original one."""
    assert list(pcap.read(_capture(order, magic, b"packet"))) == [b"packet"]


GOOD = _capture("<", pcap.MICROSECONDS, b"packet")


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        (b"", "this is no pcap file: it does not begin with a pcap magic number"),
        (b"\x7fELF" + bytes(60), "this is no pcap file"),
        (b"\x0a\x0d\x0d\x0a" + bytes(60), "this is a pcapng file: convert it"),
        (GOOD[:20], "the capture ends within its header, after 20 bytes"),
        (GOOD[:30], "the capture ends within the header of packet 1"),
        (GOOD[:-1], "the capture ends within packet 1"),
        (GOOD + GOOD[24:-1], "the capture ends within packet 2"),
        (_capture("<", pcap.MICROSECONDS, b"", link=101), "link type 101; only Ethernet"),
        (GOOD[:32] + b"\xff" * 4 + GOOD[36:], "packet 1 claims 4294967295 bytes"),
    ],
)
def test_damage_is_named(capture: bytes, message: str) -> None:
    """A file that is no capture, or a damaged one, is one clear error."""
    with pytest.raises(pcap.CaptureError, match=message):
        list(pcap.read(capture))
