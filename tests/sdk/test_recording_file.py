"""The file of a recording: whole, cut anywhere, damaged anywhere, or no recording at all."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd_api.recording_file import (
    HEADER,
    MAX_FRAME_BYTES,
    RecordingFileError,
    frame,
    frames,
)

CONTENTS = st.lists(st.binary(max_size=40), max_size=6)


def read(content: bytes) -> tuple[list[bytes], bool]:
    """All frames, and whether the file is whole."""
    found: list[bytes] = []
    reading = frames(BytesIO(content))
    while True:
        try:
            found.append(next(reading))
        except StopIteration as stop:
            return found, stop.value


def written(contents: list[bytes]) -> bytes:
    """A file of these."""
    return HEADER + b"".join(map(frame, contents))


@given(CONTENTS)
def test_what_is_written_is_read(contents: list[bytes]) -> None:
    """In order, and nothing else."""
    assert read(written(contents)) == (contents, True)


@given(CONTENTS, st.data())
def test_a_cut_file_is_readable_up_to_the_cut(contents: list[bytes], data: st.DataObject) -> None:
    """Whole frames are there; that something is missing is seen unless the cut is between two."""
    content = written(contents)
    cut = data.draw(st.integers(len(HEADER), len(content)))
    found, whole = read(content[:cut])
    assert found == contents[: len(found)]
    assert whole == (written(found) == content[:cut])
    assert len(written(contents[: len(found) + 1])) > cut or found == contents


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6), st.data())
def test_damage_is_seen(contents: list[bytes], data: st.DataObject) -> None:
    """A bit that is wrong ends what is read before the frame that has it."""
    content = bytearray(written(contents))
    at = data.draw(st.integers(len(HEADER), len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    found, whole = read(bytes(content))
    assert found == contents[: len(found)]
    assert len(written(found)) <= at
    assert not whole


def test_a_length_that_cannot_be_is_damage() -> None:
    """Nothing of that size is read."""
    head = (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + bytes(4)
    assert read(HEADER + head + bytes(100)) == ([], False)


def test_other_files_are_refused() -> None:
    """With what they are not, or of which version they are."""
    for content, message in (
        (b"", "it is no recording"),
        (b"\x7fELF" + bytes(60), "it is no recording"),
        (b"ebpfdrec\x02\0\0\0", "a recording of version 2, and only 1 is known"),
    ):
        with pytest.raises(RecordingFileError, match=message):
            read(content)
