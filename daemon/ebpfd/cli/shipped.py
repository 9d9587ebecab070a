"""Files that come with ebpfd, by their names: contracts of program types, and those of hooks."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

DISTRIBUTION: Final = "ebpfd_extensions"
"""What they come in; it may be absent."""


class ShippedFile(click.ParamType[str]):
    """A file, or the name of one of those in a *folder* that comes with ebpfd."""

    name = "FILE|NAME"

    def __init__(self, what: str, folder: str) -> None:
        self._what = what
        self._folder = folder

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The path of the file."""
        named = str(value)
        if Path(named).is_file():
            return named
        shipped = self._shipped()
        if named not in shipped:
            known = ", ".join(shipped)
            also = f", and no {self._what} that comes with ebpfd ({known})" if known else ""
            self.fail(f"{named} is no file{also}", param, ctx)
        return str(shipped[named])

    def _shipped(self) -> dict[str, Path]:
        """The files, by name."""
        if find_spec(DISTRIBUTION) is None:
            return {}
        folder = Path(str(files(DISTRIBUTION))) / self._folder
        return {path.stem: path for path in sorted(folder.glob("*.json"))}
