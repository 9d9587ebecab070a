"""``--extension MODULE|COMMAND``: what to run, and what to call it."""

import shlex
import shutil
from collections.abc import Collection, Sequence
from importlib.machinery import PathFinder
from itertools import count
from pathlib import Path

from ebpfd.app.config_table import SettingsError
from ebpfd.host.extensions import ExtensionSpec, module_command


def hosted_extensions(
    words: Sequence[str], configured: Sequence[ExtensionSpec]
) -> tuple[ExtensionSpec, ...]:
    """Those of the configuration file, then those of the command line, which get names."""
    specs = list(configured)
    for each in words:
        command, name = _command(each)
        specs.append(ExtensionSpec(_free(name, {spec.name for spec in specs}), command))
    return tuple(specs)


def _command(words: str) -> tuple[tuple[str, ...], str]:
    """What to run, and what its name says."""
    try:
        parts = shlex.split(words)
    except ValueError as error:
        raise SettingsError(f"extension {words!r}: this is no command: {error}") from None
    if not parts:
        raise SettingsError(f"extension {words!r}: it must be a module or a command")
    first, *arguments = parts
    if _is_module(first):
        return module_command(first, tuple(arguments)), first.rpartition(".")[2]
    if shutil.which(first) is None:
        raise SettingsError(
            f"extension {words!r}: {first} is neither a Python module nor a command that is there"
        )
    return (first, *arguments), _named(Path(first).stem, arguments)


def _named(command: str, arguments: Sequence[str]) -> str:
    """A name for a command: what Python runs says more than that it is Python."""
    if command.startswith("python"):
        for option, word in zip(("", *arguments), arguments, strict=False):
            if option == "-m":
                return word.rpartition(".")[2]
            if word.endswith(".py"):
                return Path(word).stem
    return command


def _is_module(name: str) -> bool:
    """Whether Python has it; only its outermost package is looked for, and nothing is imported."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    # A module that is run is also looked for here.
    return any(PathFinder.find_spec(parts[0], path) for path in (None, [str(Path.cwd())]))


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    return next(each for number in count(2) if (each := f"{name}-{number}") not in taken)
