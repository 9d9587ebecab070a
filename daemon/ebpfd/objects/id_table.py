"""Objects of one kind by id, in the order of their ids."""

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Identified(Protocol):
    """Whatever has an id."""

    id: int


_Object = TypeVar("_Object", bound=Identified)


class IdTable(Generic[_Object]):
    """Finds by id, and what follows an id."""

    def __init__(self) -> None:
        self._objects: dict[int, _Object] = {}
        self._ids: list[int] = []

    def add(self, each: _Object) -> None:
        """Add *each*; twice is once."""
        if each.id not in self._objects:
            insort(self._ids, each.id)
        self._objects[each.id] = each

    def remove(self, each: _Object) -> bool:
        """Remove *each*; whether it was there."""
        if self._objects.pop(each.id, None) is None:
            return False
        del self._ids[bisect_right(self._ids, each.id) - 1]
        return True

    def get(self, wanted: int) -> _Object | None:
        """The object with this id, if there is one."""
        return self._objects.get(wanted)

    def id_after(self, number: int) -> int | None:
        """The smallest id above *number*, if there is one."""
        place = bisect_right(self._ids, number)
        return self._ids[place] if place < len(self._ids) else None

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[_Object]:
        return iter([self._objects[number] for number in self._ids])

    def __contains__(self, wanted: int) -> bool:
        return wanted in self._objects
