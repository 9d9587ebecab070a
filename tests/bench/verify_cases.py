"""The programs that `verify.py` asks about, each with its form for the kernel if it has one."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ebpfd_vm
from tests.bench import verify_hostile, vm_build
from tests.bench.verify_hostile import Hostile
from tests.engine.sample import INFORMATION, Information
from tests.verifier import corpus

_SAMPLE_NUMBER, _XDP_NUMBER = 16, 12
_XDP: Final = ".xdp.o"


@dataclass(frozen=True, slots=True)
class Form:
    """A program as one judge sees it."""

    data: bytes
    """Its object file."""
    program: ebpfd_vm.ProgramSpec
    maps: Sequence[ebpfd_vm.MapSpec]


@dataclass(frozen=True, slots=True)
class Case:
    """One program, for all judges."""

    table: str
    name: str
    sample: Form
    kernel: Form | None = None
    information: Information = INFORMATION
    contract: str = ""
    safe: bool | None = None
    """What the right verdict is, where that is known."""


def own(*, quick: bool) -> Iterator[Case]:
    """The corpora of this repository, and hostile programs."""
    for source in corpus.sources(corpus.LOOPS):
        yield from _cases("loops", source, {source.name: True})
    for source in corpus.sources(corpus.PAIRS):
        yield from _cases("pairs", source, {"unsafe": False, "safe": True})
    ours = verify_hostile.programs(number_at=_SAMPLE_NUMBER)
    theirs = verify_hostile.programs(number_at=_XDP_NUMBER)
    for mine, other in zip(ours, theirs, strict=True):
        if not (quick and mine.slow):
            yield Case("hostile", mine.name, _only(mine), _only(other), safe=True)


def folder(path: Path, scratch: Path) -> Iterator[Case]:
    """Programs of a folder: ``NAME.o`` with ``NAME.xdp.o`` beside it, or C for ``vmb.h``.

    A source is compiled twice, with ``-DVMB_SAMPLE`` and with ``-DVMB_KERN``, into *scratch*.
    """
    objects = [each for each in sorted(path.glob("*.o")) if not each.name.endswith(_XDP)]
    if not objects:
        objects = _compiled(path, scratch)
    for each in objects:
        twin = each.with_suffix(_XDP)
        kernel = twin.read_bytes() if twin.exists() else None
        yield from _programs(path.name, each.stem, each.read_bytes(), kernel)


def _cases(table: str, source: corpus.Source, safe: dict[str, bool]) -> Iterator[Case]:
    data, kernel = source.object_file(), source.object_file(xdp=True)
    for name, is_safe in safe.items():
        yield Case(
            table,
            source.name if table == "loops" else f"{source.name}/{name}",
            _form(data, name),
            _form(kernel, name),
            source.information,
            source.contract,
            is_safe,
        )


def _programs(table: str, stem: str, data: bytes, kernel: bytes | None) -> Iterator[Case]:
    programs = ebpfd_vm.parse_object(data).programs
    for spec in programs:
        name = stem if len(programs) == 1 else f"{stem}/{spec.name}"
        yield Case(table, name, _form(data, spec.name), _twin(kernel, spec.name))


def _twin(kernel: bytes | None, name: str) -> Form | None:
    """The form for the kernel, unless there is none, or it declares its maps elsewhere."""
    try:
        return None if kernel is None else _form(kernel, name)
    except ebpfd_vm.EngineError:
        return None


def _form(data: bytes, name: str) -> Form:
    parsed = ebpfd_vm.parse_object(data)
    return Form(data, corpus.program(parsed, name), parsed.maps)


def _only(hostile: Hostile) -> Form:
    data = hostile.object_file()
    parsed = ebpfd_vm.parse_object(data)
    return Form(data, parsed.programs[0], parsed.maps)


def _compiled(path: Path, scratch: Path) -> list[Path]:
    sources = [each for each in sorted(path.glob("*.c")) if "VMB_PROG" in each.read_text()]
    if not sources:
        return []
    compiler = vm_build.clang()

    def build(source: Path) -> Path:
        target = scratch / f"{source.stem}.o"
        for suffix, form in ((".o", "VMB_SAMPLE"), (_XDP, "VMB_KERN")):
            output = target.with_suffix(suffix)
            vm_build.run(compiler, *vm_build.BPF, f"-D{form}", "-c", source, "-o", output)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(build, sources))
