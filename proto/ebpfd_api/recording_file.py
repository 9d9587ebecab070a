"""The file of a recording: frames one behind the other, readable up to where it was cut.

    8 bytes   "ebpfdrec"
    u32       version of the format, 1
    frames    u32 length, u32 CRC-32 of the bytes, then the bytes: a ``RecordingEntry``

All numbers are little-endian.  A frame that is not whole, or whose CRC is wrong, ends what can be
read: whoever wrote it was stopped, or the file is damaged from there on.
"""

import struct
import zlib
from collections.abc import Generator
from typing import BinaryIO, Final

MAGIC: Final = b"ebpfdrec"
VERSION: Final = 1
HEADER: Final = MAGIC + struct.pack("<I", VERSION)

MAX_FRAME_BYTES: Final = 64 << 20
"""A length beyond this is damage, not a frame."""

_FRAME: Final = struct.Struct("<II")


class RecordingFileError(ValueError):
    """It is no recording, or one of a later version."""


def frame(content: bytes) -> bytes:
    """One entry as the file has it."""
    return _FRAME.pack(len(content), zlib.crc32(content)) + content


def frames(file: BinaryIO) -> Generator[bytes, None, bool]:
    """Each entry's bytes; returns whether the file ends with a whole frame.

    ``RecordingFileError`` if it is no recording.
    """
    header = file.read(len(HEADER))
    if not header.startswith(MAGIC):
        raise RecordingFileError("it is no recording: it does not begin with ebpfdrec")
    if header != HEADER:
        version = int.from_bytes(header[len(MAGIC) :], "little")
        message = f"it is a recording of version {version}, and only {VERSION} is known"
        raise RecordingFileError(message)
    while head := file.read(_FRAME.size):
        if len(head) < _FRAME.size:
            return False
        length, crc = _FRAME.unpack(head)
        content = file.read(length) if length <= MAX_FRAME_BYTES else b""
        if len(content) < length or zlib.crc32(content) != crc:
            return False
        yield content
    return True
