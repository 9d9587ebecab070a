"""Verdicts that were given before, the latest used ones first to stay.

It holds them encoded: so their size is known, and nobody can change them.  A verdict that hangs on
chance, because its judge was killed or could not begin, is never taken.
"""

from collections import OrderedDict
from contextlib import suppress
from typing import Final

import msgspec

from ebpfd.host.verification_frames import Verdict

MOST_VERDICTS: Final = 4096
MOST_BYTES: Final = 16 << 20
OVERHEAD_BYTES: Final = 256
"""What an entry takes beside its encoded verdict, about."""


class VerdictCache:
    """A bounded memory of verdicts by key."""

    def __init__(self, *, most_verdicts: int = MOST_VERDICTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_verdicts = most_verdicts
        self._most_bytes = most_bytes
        self._verdicts: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Verdict)

    def __len__(self) -> int:
        """How many verdicts it holds."""
        return len(self._verdicts)

    @property
    def size_bytes(self) -> int:
        """What all that takes, about."""
        return self._bytes

    def get(self, key: bytes) -> Verdict | None:
        """The verdict under *key*, marked as ``cached``, which makes it the latest used."""
        encoded = self._verdicts.get(key)
        if encoded is None:
            return None
        self._verdicts.move_to_end(key)
        return msgspec.structs.replace(self._decoder.decode(encoded), cached=True)

    def encoded(self, key: bytes) -> bytes | None:
        """The verdict under *key* as it is held, to be kept elsewhere."""
        return self._verdicts.get(key)

    def put_encoded(self, key: bytes, encoded: bytes) -> None:
        """Remember what ``encoded`` gave; what cannot be read any more is none."""
        with suppress(msgspec.DecodeError):
            self.put(key, self._decoder.decode(encoded))

    def put(self, key: bytes, verdict: Verdict) -> None:
        """Remember *verdict*, and forget what was used longest ago if there is no room."""
        encoded = self._encoder.encode(verdict)
        if verdict.by_chance or _size(encoded) > self._most_bytes:
            return
        self._forget(key)
        self._verdicts[key] = encoded
        self._bytes += _size(encoded)
        while len(self._verdicts) > self._most_verdicts or self._bytes > self._most_bytes:
            self._forget(next(iter(self._verdicts)))

    def _forget(self, key: bytes) -> None:
        encoded = self._verdicts.pop(key, None)
        if encoded is not None:
            self._bytes -= _size(encoded)


def _size(encoded: bytes) -> int:
    return len(encoded) + OVERHEAD_BYTES
