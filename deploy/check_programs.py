"""Compiles every committed BPF object again, elsewhere, and compares it with what is committed.

Each folder of programs says in its file ``CLANG`` which major versions of clang its objects come
from, and in further lines which objects come from another one:

```text
    14
    divisor.o 16
```

``llvm-objcopy-16`` takes debug information out where a folder's rules do.  Where a compiler is not
there, the folder is passed over, and that is said.  Run as ``python deploy/check_programs.py``; it
exits with 1 if an object differs.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("*.c", "*.h", "Makefile", "build.sh")
SAMPLE: Final = Path("extensions/ebpfd_extensions/sample/programs")
OBJCOPY: Final = "llvm-objcopy-16"


@dataclass(frozen=True, slots=True)
class Folder:
    """Programs, and the rules that compile them: a Makefile, or else the folder's own script."""

    path: Path
    rules: Path | None = None

    def missing(self, compilers: "Compilers") -> list[str]:
        """Tools that are needed and not there."""
        tools = [*(f"clang-{version}" for version in compilers.all()), OBJCOPY]
        return [tool for tool in tools if shutil.which(tool) is None]

    def command(self, copy: Path, version: str) -> list[str]:
        """What compiles the folder within a *copy* of the repository's sources."""
        tools = [f"CLANG=clang-{version}", f"OBJCOPY={OBJCOPY}"]
        place = copy / self.path
        if self.rules is None:
            return ["env", *tools, "sh", str(place / "build.sh")]
        return ["make", "-s", "-C", str(place), "-f", str(copy / self.rules), *tools]


@dataclass(frozen=True, slots=True)
class Compilers:
    """Versions of clang: a folder's, the first of them for its rules, and single objects'."""

    usual: tuple[str, ...]
    special: Mapping[str, str]

    @classmethod
    def of(cls, folder: Folder) -> Self:
        """As the folder's file records them."""
        first, *rest = (ROOT / folder.path / "CLANG").read_text().splitlines()
        pairs = (line.split() for line in rest)
        return cls(tuple(first.split()), dict(pairs))

    def all(self) -> list[str]:
        """Every version, once."""
        return list(dict.fromkeys([*self.usual, *self.special.values()]))

    def passes(self) -> list[str]:
        """Those that the folder's rules are followed with."""
        return list(dict.fromkeys([self.usual[0], *self.special.values()]))

    def version(self, name: str) -> str:
        """That of one object."""
        return self.special.get(name, self.usual[0])


FOLDERS: Final = (
    Folder(SAMPLE, SAMPLE / "Makefile"),
    Folder(Path("extensions/ebpfd_extensions/contracts/programs"), SAMPLE / "Makefile"),
    Folder(Path("tests/bench/programs"), SAMPLE / "Makefile"),
    Folder(Path("tests/e2e/programs"), SAMPLE / "Makefile"),
    Folder(Path("tests/readme"), SAMPLE / "Makefile"),
    Folder(Path("tests/verifier"), Path("tests/verifier/Makefile")),
    Folder(Path("daemon/vm/tests/programs")),
    Folder(Path("daemon/vm/tests/rejections")),
)


def copy_sources(to: Path) -> None:
    """Everything that a compiler reads, in the same places: programs include one another."""
    for top in ("extensions", "tests", "daemon/vm/tests"):
        for pattern in SOURCES:
            for source in (ROOT / top).rglob(pattern):
                place = to / source.relative_to(ROOT)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, place)


def objects(root: Path, path: Path) -> set[Path]:
    """What was compiled, and what was taken out of it."""
    found = (each for pattern in ("*.o", "*.btf") for each in (root / path).rglob(pattern))
    return {each.relative_to(root) for each in found}


def differing(path: Path, copies: Mapping[str, Path], compilers: Compilers) -> Iterator[str]:
    """What is committed and came out otherwise, or not at all, or is not committed."""
    usual = copies[compilers.usual[0]]
    for each in sorted(objects(ROOT, path) | objects(usual, path)):
        committed, compiled = ROOT / each, copies[compilers.version(each.name)] / each
        if not committed.is_file():
            yield f"{each} is not committed"
        elif not compiled.is_file():
            yield f"{each} has no source"
        elif committed.read_bytes() != compiled.read_bytes():
            yield f"{each} differs from what clang {compilers.version(each.name)} makes of it"


def check(folder: Folder, scratch: Path) -> list[str]:
    """What is wrong with a folder; one line says how it went."""
    compilers = Compilers.of(folder)
    if missing := folder.missing(compilers):
        print(f"{folder.path}: passed over, for there is no {', '.join(missing)}")
        return []
    copies: dict[str, Path] = {}
    for version in compilers.passes():
        copies[version] = scratch / version
        copy_sources(copies[version])
        command = folder.command(copies[version], version)
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            return [f"{folder.path}: clang {version} fails:\n{made.stderr.strip()}"]
    wrong = list(differing(folder.path, copies, compilers))
    if not wrong:
        print(f"{folder.path}: as clang {' and '.join(compilers.all())} compiles it")
    return wrong


def main() -> int:
    """Check all folders."""
    with tempfile.TemporaryDirectory() as scratch:
        wrong = [line for folder in FOLDERS for line in check(folder, Path(scratch))]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
