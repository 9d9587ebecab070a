"""Made captures: the same every time, and with something of everything."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from ebpfd_extensions.sample import capture, pcap


def _kind(packet: bytes) -> str:
    """Judge a packet as ``count.c`` does."""
    if len(packet) < 14:
        return "malformed"
    if packet[12:14] != b"\x08\x00":
        return "not IPv4"
    if len(packet) < 34 or not 0x45 <= packet[14] <= 0x4F:
        return "malformed"
    if len(packet) < 14 + 4 * (packet[14] & 15):
        return "malformed"
    return str(packet[23])


def test_the_same_seed_gives_the_same_capture() -> None:
    """A capture is a function of its arguments; another seed gives another one."""
    made = pcap.write(capture.packets(200, 1))
    assert made == pcap.write(capture.packets(200, 1))
    assert made != pcap.write(capture.packets(200, 2))


def test_the_default_capture_does_not_change() -> None:
    """Figures that others compare with hang on these bytes."""
    digest = hashlib.sha256(pcap.write(capture.packets(10_000, 1))).hexdigest()
    assert digest == "dfb9fc88e6f0c54a64ada7c2c4b9e7e800f0e992bf400573a416f8e422aea723"


def test_there_is_something_of_everything() -> None:
    """All protocols and all ways of being broken occur."""
    kinds = Counter(map(_kind, capture.packets(2_000, 1)))
    assert {"1", "6", "17", "malformed", "not IPv4"} == set(kinds)
    assert kinds.total() == 2_000
    assert kinds["6"] > kinds["17"] > kinds["1"] > 0
    lengths = {len(packet) for packet in capture.packets(2_000, 1)}
    assert {0, 9, 25} <= lengths


def test_checksums_are_right() -> None:
    """The header of a well-formed packet sums up to all ones."""
    for packet in capture.packets(100, 1):
        if _kind(packet).isdigit():
            words = (int.from_bytes(packet[at : at + 2]) for at in range(14, 34, 2))
            assert sum(words) % 0xFFFF == 0


def test_the_command_writes_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line says where, how many, and which."""
    file = tmp_path / "packets.pcap"
    monkeypatch.setattr("sys.argv", ["capture", str(file), "--packets", "5", "--seed", "3"])
    capture.main()
    assert list(capture.packets(5, 3)) == list(pcap.read(file.read_bytes()))
    assert f"5 packets written to {file}\n" == capsys.readouterr().err
