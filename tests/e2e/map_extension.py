"""An extension that provides two map types, and writes down what it is asked.

Run as ``python tests/e2e/map_extension.py JOURNAL [--other-size | --no-programs | --accounts |
--careful-accounts] ADDRESS``.
"""

import json
import os
import sys
from pathlib import Path
from uuid import UUID

from ebpfd_sdk import CustomMap, CustomMapType, MapOperation, MapType, Refused, Result, run

JOURNAL = Path(sys.argv[1])
MASK = 0x5A5A5A5A


def note(what: str, map_: CustomMap, **more: object) -> None:
    """Add a line to the journal."""
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps({"what": what, "map": map_.id, "pid": os.getpid(), **more}) + "\n")


class Masked(CustomMap):
    """Four bytes that are stored as eight: masked, and with a number of their own."""

    def create(self) -> int:
        """Take keys of four bytes."""
        if self.key_size != 4:
            raise Refused("keys have four bytes here")
        self.tickets = 0
        note("create", self, restored=self.restored)
        return 12 if "--other-size" in sys.argv else 8

    def destroy(self) -> None:
        """Forget it."""
        note("destroy", self)

    def associate(self, program_type: UUID) -> None:
        """Take any program, or none."""
        if "--no-programs" in sys.argv:
            raise Refused("no programs here", result=Result.ACCESS_DENIED)
        note("associate", self, program_type=str(program_type))

    async def find(self, key: bytes, stored: bytes) -> bytes:
        """Take the mask off."""
        note("find", self, key=key.hex(), stored=stored.hex())
        return (int.from_bytes(stored[:4], "little") ^ MASK).to_bytes(4, "little")

    async def update(self, key: bytes, value: bytes) -> bytes:
        """Put the mask on; 13 is refused with a code of its own, 14 is a bug."""
        number = int.from_bytes(value, "little")
        if number == 13:
            raise Refused("no 13 here", result=Result.BLOCKED_BY_POLICY)
        if number == 14:
            raise ValueError("fourteen")
        self.tickets += 1
        note("update", self, key=key.hex(), value=value.hex())
        return (number ^ MASK).to_bytes(4, "little") + self.tickets.to_bytes(4, "little")

    def delete(self, key: bytes, stored: bytes, operation: MapOperation) -> None:
        """Give the number back."""
        ticket = int.from_bytes(stored[4:8], "little")
        note("delete", self, key=key.hex(), ticket=ticket, operation=int(operation))


class Plain(CustomMap):
    """A map whose elements are its programs' and users' own business."""

    def associate(self, program_type: UUID) -> None:
        """Take any program."""
        note("associate", self, program_type=str(program_type))


class Accounts(CustomMap):
    """A map whose values are stored as they are, and counted."""

    def update(self, key: bytes, value: bytes) -> None:
        """Take a value, but no 13."""
        if int.from_bytes(value, "little") == 13:
            raise Refused("no 13 here", result=Result.BLOCKED_BY_POLICY)
        note("update", self, key=key.hex(), value=value.hex())

    def delete(self, key: bytes, stored: bytes, operation: MapOperation) -> None:
        """Hear of what is gone."""
        note("delete", self, key=key.hex(), value=stored.hex(), operation=int(operation))


class CarefulAccounts(CustomMap):
    """The same in the older form: nobody may delete what has key 9."""

    def update(self, key: bytes, value: bytes) -> None:
        """Take any value."""
        note("update", self, key=key.hex(), value=value.hex())

    def before_delete(self, key: bytes, stored: bytes, operation: MapOperation) -> None:
        """Hear of what is about to go."""
        note("delete", self, key=key.hex(), value=stored.hex(), operation=int(operation))
        if key[0] == 9:
            raise Refused("9 stays", result=Result.ACCESS_DENIED)


masked = CustomMapType(MapType.XSKMAP, Masked, name="masked", updates_original_value=True)
kept: type[CustomMap] = Plain
if "--accounts" in sys.argv:
    kept = Accounts
elif "--careful-accounts" in sys.argv:
    kept = CarefulAccounts
plain = CustomMapType(MapType.SAMPLE_HASH_MAP, kept, name="plain")

if __name__ == "__main__":
    run(masked, plain, address=sys.argv[-1])
