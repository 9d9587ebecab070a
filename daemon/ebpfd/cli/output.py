"""What commands print: text for people, JSON for programs, errors on standard error."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from ebpfd.cli.echo import echo

if TYPE_CHECKING:
    from ebpfd_sdk import Client, EbpfdError, Result

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Output:
    """How and to whom this run of ``ebpfctl`` speaks."""

    address: str | None
    json: bool
    cert: str | None = None
    key: str | None = None
    ca: str | None = None

    def emit(self, value: Json, text: Callable[[], None]) -> None:
        """Print *value* as JSON, or let *text* print it."""
        if self.json:
            echo(json.dumps(value, indent=2))
        else:
            text()

    def emit_line(self, value: Json, text: str) -> None:
        """Print one item of a stream: a line of JSON, or of text."""
        echo(json.dumps(value) if self.json else text)
        sys.stdout.flush()

    def table(self, rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
        """Print *rows* with these of their fields."""
        self.emit(list(rows), lambda: print_table(rows, columns))

    def record(self, value: Mapping[str, Json]) -> None:
        """Print one thing with all its fields."""
        self.emit(value, lambda: print_record(value))

    async def write(self, content: bytes, to: str | None, format_: str = "") -> None:
        """Write *content* to a file and say so, or to standard output without a word."""
        if to is None:
            sys.stdout.buffer.write(content)
            return
        await asyncio.to_thread(Path(to).write_bytes, content)
        size, of = len(content), f" of {format_}" if format_ else ""
        written: dict[str, Json] = {
            "file": to,
            **({"format": format_} if format_ else {}),
            "bytes": size,
        }
        self.emit(written, lambda: echo(f"{to}: {size} bytes{of}"))

    def run(self, work: "Callable[[Client], Awaitable[None]]") -> None:
        """Run *work* with a connected client; its errors end the command with exit code 1."""
        # Importing gRPC takes longer than everything else here: `--help` must not wait for it.
        # What it says of handshakes that fail, an error says better.
        os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
        from ebpfd_sdk import Certificates, Client, EbpfdError, Result  # noqa: PLC0415

        async def connected() -> None:
            certificates = Certificates(self.cert, self.key, self.ca)
            async with Client(self.address, certificates=certificates) as client:
                await work(client)

        try:
            asyncio.run(connected())
        except EbpfdError as error:
            self.fail(error)
        except ValueError as error:  # a number that does not fit its field
            self.fail(EbpfdError(Result.INVALID_ARGUMENT, str(error)))

    def follow(self, work: "Callable[[Client], Awaitable[None]]") -> None:
        """Run *work* until it ends or is interrupted, which is the ordinary way to end it."""
        with suppress(KeyboardInterrupt):
            self.run(work)

    def fail(self, error: "EbpfdError", more: Mapping[str, Json] | None = None) -> NoReturn:
        """Print *error* to standard error and exit with 1; *more* is for its JSON alone."""
        from ebpfd.cli.rejections import print_rejection, rejection_json  # noqa: PLC0415 (of here)
        from ebpfd_sdk import VerificationFailed  # noqa: PLC0415 (same)

        rejections = error.rejections if isinstance(error, VerificationFailed) else ()
        if self.json:
            body = error_json(error.code, error.message) | dict(more or {})
            if rejections:
                body["rejections"] = [rejection_json(each) for each in rejections]
            echo(json.dumps({"error": body}), err=True)
        else:
            echo(f"error: {error.code.name} ({error.code.value}): {error}", err=True)
            for rejection in rejections:
                print_rejection(rejection, err=True)
        sys.exit(1)


def error_json(code: "Result", message: str) -> dict[str, Json]:
    """An error's fields."""
    return {"code": code.value, "name": code.name, "message": message}


def print_table(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
    """Print *rows* in columns that are as wide as they must be."""
    for line in table_lines(rows, columns) if rows else ("none",):
        echo(line)


def table_lines(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> Iterator[str]:
    """The heading, and a line for each row; there must be one."""
    cells = [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(len(title), *(len(row[index]) for row in cells)) for index, title in enumerate(columns)
    ]
    heading = (title.upper().replace("_", " ") for title in columns)
    for line in (heading, *cells):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def print_record(value: Mapping[str, Json]) -> None:
    """Print one field a line."""
    width = max(map(len, value))
    for name, field in value.items():
        echo(f"{name.replace('_', ' ').ljust(width)}  {cell(field)}")


def cell(value: Json) -> str:
    """One value as a person reads it."""
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return str(value)
        case Mapping():
            return ", ".join(f"{name}={cell(each)}" for name, each in value.items()) or "-"
        case _:
            return ", ".join(map(cell, value))
