"""What is pinned, by path."""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from ebpfd.errors import RequestError
from ebpfd.objects.links import Link
from ebpfd.objects.maps import MapObject
from ebpfd.objects.programs import Program
from ebpfd_api.result import Result

Object: TypeAlias = Program | MapObject | Link
Kind: TypeAlias = Literal["program", "map", "link"]


class Pins:
    """Paths in bytewise order, and their objects.  Knows nothing of what lives or goes."""

    def __init__(self) -> None:
        self._objects: dict[str, Object] = {}
        self._paths: list[str] = []  # in the order of their code points: that of their bytes

    def all(self) -> Mapping[str, Object]:
        """Every pin, in no order."""
        return MappingProxyType(self._objects)

    def add(self, path: str, each: Object) -> None:
        """Pin *each*; ``RequestError`` OBJECT_ALREADY_EXISTS if the path is taken."""
        if taken := self._objects.get(path):
            message = (
                f"path {path} has {kind_of(taken)} {taken.id} already: "
                "choose another, or unpin that first"
            )
            raise RequestError(Result.OBJECT_ALREADY_EXISTS, message)
        insort(self._paths, path)
        self._put(path, each)

    def move(self, path: str, each: Object) -> None:
        """Let *path*, which is there, lead to *each*."""
        self._objects[path].users.paths.discard(path)
        self._put(path, each)

    def find(self, path: str) -> Object:
        """What is pinned there; ``RequestError`` KEY_NOT_FOUND."""
        try:
            return self._objects[path]
        except KeyError:
            message = f"nothing is pinned to {path}: `ebpfctl pin list` shows what there is"
            raise RequestError(Result.KEY_NOT_FOUND, message) from None

    def remove(self, path: str) -> Object:
        """Remove a pin; what it led to; ``RequestError`` KEY_NOT_FOUND."""
        found = self.find(path)
        found.users.paths.discard(path)
        del self._objects[path]
        del self._paths[bisect_right(self._paths, path) - 1]
        return found

    def after(
        self, path: str, kinds: tuple[type[Object], ...] = ()
    ) -> Iterator[tuple[str, Object]]:
        """The pins that follow *path*, which need not be there, in order; of *kinds* if any."""
        for each in self._paths[bisect_right(self._paths, path) :]:
            found = self._objects[each]
            if not kinds or isinstance(found, kinds):
                yield each, found

    def _put(self, path: str, each: Object) -> None:
        self._objects[path] = each
        each.users.paths.add(path)


def kind_of(each: Object) -> Kind:
    """What it is called in messages and commands."""
    match each:
        case Program():
            return "program"
        case MapObject():
            return "map"
        case Link():
            return "link"
