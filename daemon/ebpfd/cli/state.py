"""``ebpfctl state``: what can be done with a state directory, with a daemon or without."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final, NoReturn

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_record

DIRECTORY: Final = click.Path(path_type=Path)


@click.group()
def state() -> None:
    """State directories: what a daemon with --state keeps."""


@state.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.pass_obj
def check(output: Output, directory: Path) -> None:
    """Look for damage; exit 1 if there is any.  A daemon may be running on DIR."""
    from ebpfd.store import StateDirectory, StoreError  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd.store import check as check_state  # noqa: PLC0415 (same)

    try:
        found = check_state(StateDirectory(directory))
    except StoreError as error:
        _fail(output, error)
    values: dict[str, Json] = {"state": str(directory), **asdict(found)}
    output.record(values)
    if found.problems or found.unreadable:
        sys.exit(1)


@state.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("target", metavar="BACKUP", type=DIRECTORY)
@click.pass_obj
def backup(output: Output, directory: Path, target: Path) -> None:
    """Copy DIR to the new directory BACKUP.

    A daemon may be running on DIR.  Then all that exists is of one moment, and each entry of a
    hash or trie is whole, but the entries are not all of one moment; those of an array may be
    changed while they are read.  Queues, stacks and rings are left empty, and named.
    """
    from ebpfd.app.locks import HeldError, InUseError, held  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd.store import StateDirectory, StoreError, back_up  # noqa: PLC0415 (same)

    source = StateDirectory(directory)
    try:
        source.refuse_if_none()
        try:
            with held(source.lock, f"state directory {directory}", "DIR"):
                done = back_up(source, target, running=False)
        except HeldError:
            done = back_up(source, target, running=True)
    except (InUseError, StoreError) as error:
        _fail(output, error)
    values: dict[str, Json] = {"state": str(directory), "backup": str(target), **asdict(done)}
    output.emit(values, lambda: print_record(values))


@state.command()
@click.argument("source", metavar="BACKUP", type=DIRECTORY)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.pass_obj
def restore(output: Output, source: Path, directory: Path) -> None:
    """Make the new state directory DIR of a backup.  Nothing is overwritten.

    Restored by root it is of whoever has DIR, if that is there and empty, or else its parent.
    """
    from ebpfd.store import StateDirectory, StoreError  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd.store import restore as restore_state  # noqa: PLC0415 (same)

    try:
        done = restore_state(StateDirectory(source), directory)
    except StoreError as error:
        _fail(output, error)
    values: dict[str, Json] = {
        "backup": str(source),
        "state": str(directory),
        "objects": done.objects,
        "pins": done.pins,
    }
    output.record(values)
    if os.geteuid() == 0 == directory.stat().st_uid:
        echo(f"It is root's: for a daemon of another user, chown -R USER {directory}", err=True)


def _fail(output: Output, error: Exception) -> NoReturn:
    from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (`--help` must not wait)

    output.fail(EbpfdError(Result.FAILED, str(error)))
