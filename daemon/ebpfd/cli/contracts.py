"""``ebpfctl contract``."""

import asyncio
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_record, print_table
from ebpfd.cli.shipped import ShippedFile

if TYPE_CHECKING:
    from ebpfd.contracts import ProgramData
    from ebpfd_sdk import Client, Contract, ContractFormat

WRITTEN: Final = ("protobuf", "flatbuffers", "json", "rpce", "rpce-historic", "c")
READ: Final = ("protobuf", "flatbuffers", "json", "rpce", "rpce-historic", "flat")
SUFFIXES: Final = {
    ".pb": "protobuf",
    ".fb": "flatbuffers",
    ".json": "json",
    ".rpce": "rpce",
    ".rpce-historic": "rpce-historic",
    ".flat": "flat",
}
"""What a file is taken for by the end of its name."""

FIELD_COLUMNS: Final = ("offset", "size", "name", "type", "rights")
HELPER_COLUMNS: Final = ("id", "name", "arguments", "returns", "served", "notes")
RESULT_COLUMNS: Final = ("value", "name", "stops_chain")
COLUMNS: Final = ("name", "guid", "context", "helpers", "sections", "provided", "origin")


@click.group()
def contract() -> None:
    """Contracts: what programs of a type see and may call."""


@contract.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the program types that the daemon knows."""

    async def work(client: "Client") -> None:
        rows = [_describe(each) for each in await client.contracts()]
        output.emit(rows, lambda: print_table([_brief(row) for row in rows], COLUMNS))

    output.run(work)


@contract.command()
@click.argument("type_", metavar="TYPE")
@click.pass_obj
def show(output: Output, type_: str) -> None:
    """Show a program type's contract, by its name or GUID.

    Its digest is over the whole of it: all its helpers, whoever calls them.
    """

    async def work(client: "Client") -> None:
        from ebpfd_sdk import ContractFormat  # noqa: PLC0415 (`--help` must not wait)

        known = await client.contract(type_)
        content = json.loads(await client.export_contract(known.program_type, ContractFormat.JSON))
        output.emit({**_describe(known), "contract": content}, lambda: _print(known, content))

    output.run(work)


@contract.command()
@click.argument("type_", metavar="TYPE")
@click.option(
    "-f", "--format", "format_", type=click.Choice(WRITTEN), default="json", show_default=True,
    help="How it is written; c is a header for program authors.",
)  # fmt: skip
@click.option("--to", type=click.Path(dir_okay=False), help="A file, instead of standard output.")
@click.pass_obj
def export(output: Output, type_: str, format_: str, to: str | None) -> None:
    """Write a program type's contract as bytes."""

    async def work(client: "Client") -> None:
        await output.write(await client.export_contract(type_, _format(format_)), to, format_)

    output.run(work)


@contract.command("import")
@click.argument("file", metavar="FILE|NAME", type=ShippedFile("contract", "contracts"))
@click.option(
    "-f", "--format", "format_", type=click.Choice(READ),
    help="How it is written.  [default: by the end of the file's name]",
)  # fmt: skip
@click.option(
    "--provide",
    is_flag=True,
    help="Let the daemon provide the type: programs load and run if all of its helpers that they "
    "call come as code.",
)
@click.pass_obj
def import_(output: Output, file: str, format_: str | None, provide: bool) -> None:
    """Take in a contract.  Programs of its type can be verified without their extension.

    NAME is one of those that come with ebpfd: bind, netevent, process, sample, sock_addr, sock_ops,
    xdp.
    """

    async def work(client: "Client") -> None:
        known = await client.import_contract(file, _format_of(file, format_), provide=provide)
        row = _describe(known)
        output.emit(row, lambda: print_table([_brief(row)], COLUMNS))

    output.run(work)


@contract.command()
@click.argument("type_", metavar="TYPE")
@click.pass_obj
def forget(output: Output, type_: str) -> None:
    """Forget a program type.  Programs that are loaded stay."""

    async def work(client: "Client") -> None:
        await client.forget_contract(type_)
        output.emit({"forgotten": type_}, lambda: echo(f"{type_} is forgotten"))

    output.run(work)


@contract.command()
@click.argument("a", metavar="TYPE|FILE")
@click.argument("b", metavar="TYPE|FILE")
@click.pass_context
def diff(context: click.Context, a: str, b: str) -> None:
    """Name the fields in which two contracts differ.  Exit 1 if there are any."""
    output: Output = context.obj

    async def work(client: "Client") -> None:
        from ebpfd.contracts.difference import differences, shown  # noqa: PLC0415 (`--help` must not wait)

        old, new = [await _read(client, each) for each in (a, b)]
        rows: list[dict[str, Json]] = [
            {"field": each.field, "old": shown(each.old), "new": shown(each.new)}
            for each in differences(old, new)
        ]
        output.emit(rows, lambda: _print_differences(rows))
        if rows:
            context.exit(1)

    output.run(work)


async def _read(client: "Client", named: str) -> "ProgramData":
    """The contract of a file, or of a type that the daemon knows."""
    from ebpfd.contracts.json_codec import decode_json  # noqa: PLC0415 (`--help` must not wait)
    from ebpfd_sdk import ContractFormat  # noqa: PLC0415 (same)

    if Path(named).suffix in SUFFIXES:
        written = await asyncio.to_thread(Path(named).read_bytes)
        content = await client.convert_contract(
            written, _format_of(named, None), ContractFormat.JSON
        )
    else:
        content = await client.export_contract(named, ContractFormat.JSON)
    return decode_json(content)


def _format(name: str) -> "ContractFormat":
    from ebpfd_sdk import ContractFormat  # noqa: PLC0415 (`--help` must not wait)

    return ContractFormat(name)


def _format_of(file: str, named: str | None) -> "ContractFormat":
    suffix = Path(file).suffix
    if named is None and suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise click.UsageError(f"{file}: say its --format, or let its name end with {known}")
    return _format(named or SUFFIXES[suffix])


def _describe(known: "Contract") -> dict[str, Json]:
    return {
        "name": known.name,
        "guid": str(known.program_type),
        "context": known.context_size,
        "helpers": known.helpers,
        "sections": known.sections,
        "provided": known.provided,
        "imported": known.imported,
        "origin": known.origin,
        "digest": known.digest.hex(),
    }


def _brief(row: dict[str, Json]) -> dict[str, Json]:
    helpers = row["helpers"]
    return {**row, "helpers": len(helpers) if isinstance(helpers, Sequence) else helpers}


def _print(known: "Contract", content: Any) -> None:
    """What an author or an operator asks of it; all of it is in its JSON."""
    print_record({**_describe(known), "helpers": len(known.helpers)})
    if content["fields"]:
        echo("\ncontext")
        print_table([_field(each) for each in content["fields"]], FIELD_COLUMNS)
    helpers = [
        *content["program_info"]["program_type_specific_helpers"],
        *content["program_info"]["global_helpers"],
    ]
    if helpers:
        echo("\nhelpers")
        served = content["helper_addresses"]
        print_table([_helper(each, served) for each in helpers], HELPER_COLUMNS)
    if content["results"]:
        echo("\nresults")
        print_table(content["results"], RESULT_COLUMNS)


def _field(field: Any) -> dict[str, Json]:
    rights = "hidden" if field["hidden"] else "read, write" if field["writable"] else "read"
    return {**field, "rights": rights}


def _helper(helper: Any, served: list[int]) -> dict[str, Json]:
    marks = ("reallocate_packet", "implicit_context")
    code = base64.b64decode(helper.get("code", ""))
    return {
        "id": f"{helper['helper_id']:#x}",
        "name": helper["name"],
        "arguments": helper["arguments"],
        "returns": helper["return_type"],
        "served": "linked" if code else helper["helper_id"] in served,
        "notes": [
            *(mark.replace("_", " ") for mark in marks if helper[mark]),
            *([f"code, {len(code) // 8} instructions"] if code else []),
        ],
    }


def _print_differences(rows: Sequence[dict[str, Json]]) -> None:
    for row in rows:
        echo(f"{row['field']}: {row['old']} -> {row['new']}")
    if not rows:
        echo("no difference")
