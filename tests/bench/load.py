"""What loading takes beside verifying, and what a verdict takes that was given before.

    python tests/bench/load.py [--quick] [FOLDER ...]

Without a folder: the sample extension's programs, those of the bench of the engine, and the
corpora of ``tests/verifier``; a folder has ``NAME.o`` of the sample type, or sources as
``verify.py`` takes them.  One row a program: parsing its file, verifying and compiling it, and the
memory that this takes at most beside what was there, each in a process of its own.  Files whose
programs the sample extension's contract fits are then asked about at the daemon's service object,
and at a daemon in another process, where they are also loaded, with their verdicts remembered.
"""

import argparse
import gc
import itertools
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import ebpfd_vm  # noqa: E402 (found through the line above, as the next ones)
from ebpfd.app.daemon import running  # noqa: E402
from ebpfd.app.settings import Settings  # noqa: E402
from ebpfd.cli import children  # noqa: E402
from ebpfd.errors import RequestError  # noqa: E402
from ebpfd.host.loading import JudgedProgram  # noqa: E402
from ebpfd.rpc.contract_codec import decode_program_data  # noqa: E402
from ebpfd_extensions.sample.extension import sample  # noqa: E402
from ebpfd_sdk import Client  # noqa: E402
from tests.bench import report, verify_cases, vm_build  # noqa: E402
from tests.bench.verify_cases import Case  # noqa: E402
from tests.engine.sample import live  # noqa: E402

Row: TypeAlias = dict[str, Any]

EXTENSION: Final = "ebpfd_extensions.sample"
SAMPLES: Final = HERE.parent.parent / "extensions" / "ebpfd_extensions" / "sample" / "programs"
SHARE_OF_VERIFYING, BESIDES_MS = 0.1, 5.0
CACHED_MS: Final = 1.0


def cases(folders: Sequence[Path], scratch: Path, *, quick: bool) -> Iterator[Case]:
    """The programs to load."""
    for folder in folders or [SAMPLES, vm_build.SOURCES]:
        yield from verify_cases.folder(folder, scratch)
    if not folders:
        own = [each for each in verify_cases.own(quick=True) if each.table != "hostile"]
        yield from own[:: 6 if quick else 1]


def loaded(case: Case, warm_up: Case, times: int) -> Row:
    """Least times of some, for the machine is shared; memory of the first but for the engine's."""
    _steps(warm_up)
    before = _peak_bytes()
    first = _steps(case)
    peak = _peak_bytes() - before
    steps = [first, *(_steps(case) for _ in range(times - 1))]
    parse, verify, compile_ = (min(each[index] for each in steps) for index in range(3))
    allowed = SHARE_OF_VERIFYING * verify + BESIDES_MS
    return {
        "table": case.table,
        "program": case.name,
        "slots": len(case.sample.program.instructions) // 8,
        "parse_ms": parse,
        "verify_ms": verify,
        "compile_ms": compile_,
        "peak_bytes": peak,
        "of_allowed": (parse + compile_) / allowed,
    }


def _steps(case: Case) -> tuple[float, float, float]:
    """Milliseconds of parsing, verifying and compiling; what is refused is not compiled."""
    gc.collect()
    began = time.perf_counter()
    parsed = ebpfd_vm.parse_object(case.sample.data)
    was_parsed = time.perf_counter()
    (spec,) = (each for each in parsed.programs if each.name == case.sample.program.name)
    verdict = ebpfd_vm.verify(spec, parsed.maps, case.information, judges="ours")
    was_verified = time.perf_counter()
    if verdict.accepted:
        maps = [live(each) for each in parsed.maps]
        ebpfd_vm.Program(
            spec,
            maps,
            case.information,
            helper=_no_helper,
            verified=True,
            proved=verdict.worst_case,
        )
    was_compiled = time.perf_counter()
    times = (began, was_parsed, was_verified, was_compiled)
    parse, verify, compile_ = (1e3 * (end - start) for start, end in itertools.pairwise(times))
    return parse, verify, compile_


def _no_helper(*_: object) -> tuple[int, list[tuple[int, bytes]]]:
    raise ebpfd_vm.HelperError(1, "nothing runs here")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forked(work: Callable[[], Row]) -> Row:
    """What *work* gives in a child, whose memory is its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    row: Row = json.loads(answer)
    return row


async def at_the_service(files: dict[str, bytes], folder: Path, times: int) -> dict[str, Row]:
    """Milliseconds of a remembered verdict at the object behind ``Verify``, by file."""
    rows: dict[str, Row] = {}
    async with running(Settings(listen=(folder / "service.sock",))) as daemon:
        data = decode_program_data(sample.program_data())
        await daemon.contracts.remember_program_type(data, "sample")
        for name, content in files.items():

            async def ask(content: bytes = content) -> list[JudgedProgram]:
                return await daemon.programs.verify(content, [])

            try:
                await ask()
            except RequestError:
                continue  # another type's program
            judged = await ask()
            if all(each.verdict.cached for each in judged):
                rows[name] = {"cached_ms": await _median_ms(ask, times) / len(judged)}
    return rows


async def at_the_daemon(files: dict[str, bytes], folder: Path, times: int) -> dict[str, Row]:
    """The same through gRPC; and a load of which all but the verifying is left."""
    address, rows = f"unix:{folder}/ebpfd.sock", dict[str, Row]()
    async with (
        children.daemon(address, folder),
        children.extension(EXTENSION, address),
        Client(address) as client,
    ):
        for name, content in files.items():

            async def ask(content: bytes = content) -> object:
                return await client.verify(content)

            async def load(content: bytes = content) -> float:
                began = time.perf_counter()
                programs = await client.load(content)
                taken = time.perf_counter() - began
                for each in programs.values():
                    await each.unload()
                return 1e3 * taken / len(programs)

            verdicts = await client.verify(content)
            rows[name] = {"cached_ms_by_grpc": await _median_ms(ask, times) / len(verdicts)}
            if all(each.accepted for each in verdicts):
                verify_ms = sum(each.duration_ns for each in verdicts) / len(verdicts) / 1e6
                load_ms = statistics.median([await load() for _ in range(times)])
                allowed = SHARE_OF_VERIFYING * verify_ms + BESIDES_MS
                rows[name] |= {"load_ms": load_ms, "load_of_allowed": load_ms / allowed}
    return rows


async def _median_ms(ask: Callable[[], Awaitable[object]], times: int) -> float:
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - began)
    return 1e3 * statistics.median(taken)


def bench(folders: Sequence[Path], *, quick: bool) -> None:
    """Run all rows and print the report."""
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        scratch = Path(name)
        chosen = list(cases(folders, scratch, quick=quick))
        rows = [forked(partial(loaded, case, chosen[0], 3)) for case in chosen]
        files = {
            f"{case.table}/{case.name.partition('/')[0]}": case.sample.data
            for case in chosen
            if case.table not in {"loops", "pairs"}
        }
        times = 15 if quick else 51
        asked = uvloop.run(at_the_service(files, scratch, times))
        remembered = {each: files[each] for each in asked}
        by_grpc = uvloop.run(at_the_daemon(remembered, scratch, times))
    of_files: list[Row] = [{"file": each, **asked[each], **by_grpc[each]} for each in asked]
    bars = [
        report.bar(
            f"parse and compile / ({SHARE_OF_VERIFYING:.0%} of verify + {BESIDES_MS:g} ms), worst",
            max(each["of_allowed"] for each in rows),
            1.0,
            "lower",
        ),
        report.bar(
            f"load with its verdict remembered / the same, worst of {len(of_files)} files",
            max(each.get("load_of_allowed", 0.0) for each in of_files),
            1.0,
            "lower",
        ),
        report.bar(
            "remembered verdict at the service, ms, worst",
            max(each["cached_ms"] for each in of_files),
            CACHED_MS,
            "lower",
        ),
        report.bar(
            "remembered verdict by gRPC, ms, median of files",
            statistics.median(each["cached_ms_by_grpc"] for each in of_files),
            CACHED_MS,
            "lower",
        ),
    ]
    report.emit("load", bars, [*rows, *of_files])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run under 50 s")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    bench(arguments.folders, quick=arguments.quick)
