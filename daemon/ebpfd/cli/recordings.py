"""``ebpfctl hook record`` and ``ebpfctl replay``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output
from ebpfd.cli.parameters import existing_file

if TYPE_CHECKING:
    from ebpfd.host.replay import Came, Difference, Replay, Report
    from ebpfd.objects.recordings import Entry
    from ebpfd_sdk import Client

DIFFERS: Final = 3
"""The exit code of a replay that came to something else."""

SHOWN_BYTES: Final = 64
"""Of a context or of data, for people."""


@click.command()
@click.argument("what", metavar="HOOK|LINK")
@click.option(
    "-f", "--file", type=click.Path(dir_okay=False, path_type=Path), required=True,
    help="What it is written to.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many events.")
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True, max=86400), help="End after so long."
)
@click.pass_obj
def record(
    output: Output, what: str, file: Path, *, force: bool, limit: int | None, seconds: float | None
) -> None:
    """Write what runs on a hook, or through one link, to a file for `ebpfctl replay`.

    Contexts, results, what maps held before, and all that programs were told from outside.
    """

    async def work(client: "Client") -> None:
        recorded = await client.record(
            int(what) if what.isdecimal() else what,
            file,
            limit=limit or 0,
            within_s=seconds,
            overwrite=force,
        )
        row: dict[str, Json] = {
            "file": str(recorded.file),
            "events": recorded.events,
            "lost": recorded.lost,
            "reason": recorded.reason,
        }
        lost = f", {recorded.lost} lost" if recorded.lost else ""
        why = f": ended because {recorded.reason}" if recorded.reason else ""
        output.emit(row, lambda: echo(f"{file}: {recorded.events} events{lost}{why}"))

    try:
        output.run(work)
    except KeyboardInterrupt:
        echo(f"{file} is whole up to here", err=True)
    except FileExistsError:
        hint = "choose another file, or --force to overwrite it"
        raise click.ClickException(f"{file} is there already: {hint}") from None
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


@click.command()
@click.argument("file", type=existing_file())
@click.option(
    "--program", metavar="OBJECT[:NAME]", help="Run this instead.  [default: what was recorded]"
)
@click.option("--of", default="", metavar="NAME", help="Instead of which, if several were.")
@click.option(
    "--show", type=click.IntRange(min=0), default=10, show_default=True, help="So many differences."
)
@click.pass_obj
def replay(output: Output, file: str, program: str | None, of: str, show: int) -> None:
    """Run a recording again, here and without a daemon, and show what differs.

    Exits with 3 if anything does.
    """
    from ebpfd.contracts import ContractError  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd.errors import RequestError  # noqa: PLC0415 (same)
    from ebpfd_api.recording_file import RecordingFileError  # noqa: PLC0415 (same)
    from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (same)

    try:
        replayed, whole = _replayed(Path(file), program, of, show)
    except RequestError as error:
        output.fail(EbpfdError(error.code, error.message))
    except (RecordingFileError, ContractError) as error:
        output.fail(EbpfdError(Result.INVALID_ARGUMENT, f"{file}: {error}"))
    report = replayed.report
    broken = not (report.complete and whole)
    if broken and not report.events:
        message = f"{file}: it is cut or damaged before its first event: nothing can be replayed"
        output.fail(EbpfdError(Result.INVALID_ARGUMENT, message))
    output.emit(_report(report, broken), lambda: _print(report, broken))
    if report.differing:
        sys.exit(DIFFERS)


def _replayed(path: Path, program: str | None, of: str, show: int) -> "tuple[Replay, bool]":
    from ebpfd.host.replay import Replay, instead_of  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd.objects.recordings import RecordedProgram  # noqa: PLC0415 (same)

    instead = None
    if program is not None:
        source, name = _object(program)
        whole = [entry for entry in _entries(path, []) if isinstance(entry, RecordedProgram)]
        instead = instead_of({each.id: each.name for each in whole}, source, name, of)
    replayed = Replay(instead, show=show)
    end: list[bool] = []
    for entry in _entries(path, end):
        replayed.take(entry)
    return replayed, end[0]


def _entries(path: Path, whole: list[bool]) -> "Iterator[Entry]":
    """The entries of a file; then *whole* gets whether it ends with a whole one."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 (`--help` must not wait)

    from ebpfd.rpc.recording_codec import decode_entry  # noqa: PLC0415 (same)
    from ebpfd_api.recording_file import RecordingFileError, frames  # noqa: PLC0415 (same)
    from ebpfd_api.v1 import recordings_pb2  # noqa: PLC0415 (same)

    with path.open("rb") as file:
        reading = frames(file)
        while True:
            try:
                content = next(reading)
            except StopIteration as stop:
                whole.append(stop.value)
                return
            try:
                entry = decode_entry(recordings_pb2.RecordingEntry.FromString(content))
            except DecodeError as error:
                raise RecordingFileError(str(error)) from None
            if entry is not None:
                yield entry


def _object(program: str) -> tuple[bytes, str]:
    """An object file's bytes, and the name of a program in it if one is given."""
    path, name = program, ""
    if not Path(path).is_file() and ":" in program:
        path, _, name = program.rpartition(":")
    try:
        return Path(path).read_bytes(), name
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise click.BadParameter(message, param_hint="--program") from None


def _report(report: "Report", broken: bool) -> dict[str, Json]:
    return {
        "events": report.events,
        "differing": report.differing,
        "unknown": report.unknown,
        "overlapped": report.overlapped,
        "lost": report.lost,
        "lost_writes": report.lost_writes,
        "broken_off": broken,
        "reason": report.reason,
        "notes": report.notes,
        "first": [_difference(each) for each in report.first],
    }


def _difference(each: "Difference") -> dict[str, Json]:
    return {
        "event": each.event,
        "link": each.link_id,
        "program": each.program,
        "context": each.context.hex(),
        "data": each.data.hex(),
        "was": _came(each.was),
        "now": _came(each.now),
    }


def _came(each: "Came") -> dict[str, Json]:
    return {
        "code": each.code,
        "result": each.result,
        "context": each.context.hex(),
        "data": each.data.hex(),
    }


def _print(report: "Report", broken: bool) -> None:
    if report.differing:
        echo(f"{report.differing} of {report.events} events differ")
    else:
        echo(f"{report.events} events: no difference")
    for each in report.first:
        echo(f"event {each.event}, link {each.link_id}, {each.program}:")
        echo(f"  context {_shown(each.context)}")
        if each.data:
            echo(f"  data    {_shown(each.data)}")
        echo(f"  was     {_outcome(each.was, each)}")
        echo(f"  now     {_outcome(each.now, each)}")
    if report.differing > len(report.first):
        echo(f"and {report.differing - len(report.first)} more")
    for note in report.notes:
        echo(f"note: {note}", err=True)
    for count, what in (
        (report.unknown, "asked what the recording does not know"),
        (report.overlapped, "ran beside others: on maps that they share the order is unknown"),
        (report.lost, "are missing: maps may be other than they were"),
    ):
        if count:
            echo(f"note: {count} events {what}", err=True)
    if report.lost_writes:
        missing = "writes of users are missing: maps may be other than they were"
        echo(f"note: {report.lost_writes} {missing}", err=True)
    if broken:
        echo("note: the recording was broken off: this is what it has up to there", err=True)
    elif report.reason:
        echo(f"note: the recording ended because {report.reason}", err=True)


def _outcome(came: "Came", difference: "Difference") -> str:
    from ebpfd_api.result import Result  # noqa: PLC0415 (as the client)

    known = came.code in Result._value2member_map_
    name = Result(came.code).name if known else str(came.code)
    said = [f"result {came.result}" if came.code == 0 else f"code {name} ({came.code})"]
    if difference.was.context != difference.now.context:
        said.append(f"context {_shown(came.context)}")
    if difference.was.data != difference.now.data:
        said.append(f"data {_shown(came.data)}")
    return ", ".join(said)


def _shown(content: bytes) -> str:
    if len(content) <= SHOWN_BYTES:
        return content.hex()
    return f"{content[:SHOWN_BYTES].hex()}… ({len(content)} bytes)"
