"""An extension that writes into the memory that it shares with the daemon, as it is told.

    storm SEED    scribble without end        calm          scribble no more
    inside        say that a run is inside    shorten       cut files off, if that is possible
    image         try to write to the image   locks SEED    lock bytes of the files for itself

Each has one line as its answer.  It takes the address last.
"""

import asyncio
import ctypes
import fcntl
import mmap
import os
import random
import socket
import stat
import struct
import sys
import threading
from array import array
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from ebpfd_sdk import Extension, run
from ebpfd_sdk import _local as sdk_local
from tests.e2e.churning_extension import churn, events
from tests.e2e.obeying import commands, say

PAGE: Final = 4096
STRIPES: Final = 256
STRIPE: Final = 128
DOMAIN: Final = STRIPES + 64 * STRIPE
SLOTS: Final = DOMAIN + 64
REGIONS: Final = 76 * 1024
INSIDE: Final = 64
"""Where a gate says who is inside."""

FALLOC_PUNCH: Final = 1 | 2
"""FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE."""

_libc = ctypes.CDLL(None, use_errno=True)
_receive = sdk_local._receive  # pyright: ignore[reportPrivateUsage]


class Shared:
    """One file that the daemon has sent, mapped."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.memory = mmap.mmap(descriptor, self.size)

    def used(self, dice: random.Random) -> int:
        """A place that has been used, or one near it."""
        try:
            start = os.lseek(self.descriptor, dice.randrange(self.size), os.SEEK_DATA)
            end = os.lseek(self.descriptor, start, os.SEEK_HOLE)
        except OSError:
            return dice.randrange(self.size)
        return dice.randrange(start, min(end, start + 64 * PAGE))


class Taken:
    """What the daemon has sent with its last program."""

    def __init__(self) -> None:
        self.image = -1
        self.gate: Shared | None = None
        self.maps: list[Shared] = []
        self.locked: list[int] = []

    def keep(self, descriptors: Sequence[int]) -> None:
        """Keep descriptors of our own: image, gate, and what has lines and maps; not events."""
        image, gate, *others = map(os.dup, descriptors)
        maps = [each for each in others if stat.S_ISREG(os.fstat(each).st_mode)]
        self.image, self.gate, self.maps = image, Shared(gate), [Shared(each) for each in maps]


def place_of(shared: Shared, dice: random.Random) -> int:
    """Somewhere that matters."""
    at = dice.choice(
        (
            dice.randrange(STRIPES),
            STRIPES + dice.randrange(64) * STRIPE + 4 * dice.randrange(6),
            DOMAIN + 8 * dice.randrange(2),
            SLOTS + 64 * dice.randrange(16 * 64),
            REGIONS + dice.randrange(16 * PAGE),
            shared.used(dice),
            shared.used(dice),
            shared.used(dice) & -PAGE,
        )
    )
    return min(at, shared.size - 8) & ~3


def bytes_for(dice: random.Random) -> bytes:
    """Something that does harm."""
    number = dice.choice(
        (
            0,
            dice.randrange(80),
            dice.getrandbits(32),
            2**31,
            2**31 + dice.randrange(20),
            2**32 - 1 - dice.randrange(80),
        )
    )
    word = struct.pack("<I", number)
    return dice.choice(
        (
            word,
            word,
            word,
            word * 2,
            word * dice.randrange(1, 2 * PAGE // 4),
            struct.pack("<Q", dice.getrandbits(64)),
            dice.randbytes(dice.randrange(1, 64)),
            bytes(PAGE),
            b"\xff" * PAGE,
        )
    )


def scribble(taken: Taken, dice: random.Random) -> None:
    """Write something somewhere."""
    if taken.gate is not None and dice.random() < 0.1:
        # The daemon's own word too; but who is inside is told in `inside`.
        at = dice.choice((0, dice.randrange(INSIDE * 65, taken.gate.size - 8)))
        _put(
            taken.gate, at, struct.pack("<Q", dice.choice((0, 1, 2**64 - 1, dice.getrandbits(64))))
        )
        return
    shared = dice.choice(taken.maps)
    match dice.randrange(40):
        case 0:
            _punch(shared.descriptor, shared.used(dice) & -PAGE)
        case 1:
            source, size = shared.used(dice), dice.randrange(1, PAGE)
            _put(shared, place_of(shared, dice), shared.memory[source : source + size])
        case _:
            _put(shared, place_of(shared, dice), bytes_for(dice))


def _put(shared: Shared, at: int, what: bytes) -> None:
    what = what[: shared.size - at]
    shared.memory[at : at + len(what)] = what


def _punch(descriptor: int, at: int) -> None:
    # Python has no such call.
    if _libc.fallocate(descriptor, FALLOC_PUNCH, ctypes.c_long(at), ctypes.c_long(PAGE)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Storm(threading.Thread):
    """Scribbles until it is told to stop."""

    def __init__(self, taken: Taken, seed: int) -> None:
        super().__init__(daemon=True)
        self._taken, self._dice, self.over = taken, random.Random(seed), threading.Event()

    def run(self) -> None:
        """Without a pause."""
        while not self.over.is_set():
            scribble(self._taken, self._dice)


def _shorten(taken: Taken) -> str:
    done = 0
    for shared in [*taken.maps, *([taken.gate] if taken.gate else [])]:
        for size in (0, shared.size // 2, shared.size + PAGE):
            try:
                os.ftruncate(shared.descriptor, size)
            except PermissionError:
                continue
            done += 1
    return str(done)


def _write_image(taken: Taken) -> str:
    refused = 0
    for attempt in (
        lambda: os.pwrite(taken.image, b"x", 0),
        lambda: os.ftruncate(taken.image, 0),
        lambda: mmap.mmap(taken.image, 0),
    ):
        try:
            attempt()
        except PermissionError:
            refused += 1
    return str(refused)


def _lock(taken: Taken, dice: random.Random) -> str:
    for shared in taken.maps:
        own = os.open(f"/proc/self/fd/{shared.descriptor}", os.O_RDWR)
        taken.locked.append(own)
        first = dice.randrange(18)
        with suppress(BlockingIOError):  # the daemon has locked some of them
            lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, first, 18 - first, 0)
            fcntl.fcntl(own, fcntl.F_OFD_SETLK, lock)
    return str(len(taken.locked))


async def main(extension: Extension) -> None:
    """Obey until there are no more commands."""
    storm: Storm | None = None
    async for line in commands(extension):
        command, _, seed = line.partition(" ")
        match command:
            case "storm":
                storm = Storm(TAKEN, int(seed))
                storm.start()
                say(command)
            case "calm" if storm is not None:
                lasted = storm.is_alive()
                storm.over.set()
                await asyncio.to_thread(storm.join)
                say(command if lasted else "it was over before")
            case "inside" if TAKEN.gate is not None:
                _put(TAKEN.gate, INSIDE, struct.pack("<Q", 1))
                say(command)
            case "shorten":
                say(_shorten(TAKEN))
            case "image":
                say(_write_image(TAKEN))
            case "locks":
                say(_lock(TAKEN, random.Random(int(seed))))
            case _:
                raise ValueError(line)


def _keeping(connection: socket.socket) -> tuple[Any, Sequence[int]]:
    said, descriptors = _receive(connection)
    if len(descriptors) > 1:
        TAKEN.keep(array("i", descriptors))
    return said, descriptors


TAKEN: Final = Taken()

if __name__ == "__main__":
    sdk_local._receive = _keeping  # pyright: ignore[reportPrivateUsage]
    run(churn, events, main, address=sys.argv[1])
