"""``ebpfctl map``: maps themselves, and the records of those that have some."""

from copy import copy
from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.map_entries import COMMANDS, update
from ebpfd.cli.map_text import describe, lost_lines, record_fields, record_text
from ebpfd.cli.output import Output
from ebpfd.cli.pins import keepers_json, keepers_text

if TYPE_CHECKING:
    from ebpfd_sdk import Client

COLUMNS = (
    "id", "name", "type", "key_size", "value_size", "max_entries", "count", "programs",
    "provider",
)  # fmt: skip


@click.group("map")
def map_commands() -> None:
    """Maps: what programs and people share.

    A KEY or VALUE is a decimal number, packed little-endian, or bytes as 0x….
    """


@map_commands.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the maps."""

    async def work(client: "Client") -> None:
        output.table([describe(each) for each in await client.maps()], COLUMNS)

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.pass_obj
def show(output: Output, id: int) -> None:
    """Show everything about one map."""

    async def work(client: "Client") -> None:
        output.record(describe(await client.map(id)))

    output.run(work)


@map_commands.command()
@click.argument("type", metavar="TYPE")
@click.option("--key", "key_size", type=int, default=0, metavar="BYTES", help="Size of a key.")
@click.option("--value", "value_size", type=int, default=0, metavar="BYTES", help="Of a value.")
@click.option("--entries", type=int, required=True, help="Most entries; of a ring its bytes.")
@click.option("--name", default="", help="For listings.")
@click.option("--flags", type=int, default=0)
@click.option("--inner", type=int, metavar="ID", help="The map that inner maps must be like.")
@click.option("--pin", "path", metavar="PATH", help="Pin it too.")
@click.pass_obj
def create(
    output: Output,
    type: str,
    key_size: int,
    value_size: int,
    entries: int,
    name: str,
    flags: int,
    inner: int | None,
    path: str | None,
) -> None:
    """Create a map, which lives until it is removed, and unpinned.

    TYPE is a name as `ebpfctl map list` shows it, like hash, or a number; also the name that an
    extension gives to a type that it provides.
    """

    async def work(client: "Client") -> None:
        from ebpfd_sdk import EbpfdError  # noqa: PLC0415 (late, as in Output.run)

        made = await client.create_map(
            int(type) if type.isdecimal() else type.lower(),
            key_size,
            value_size,
            entries,
            name=name,
            flags=flags,
            inner=None if inner is None else await client.map(inner),
        )
        if path is not None:
            try:
                await client.pin(path, made)
            except EbpfdError:
                await made.remove()
                raise
            made = await client.map(made.id)
        output.table([describe(made)], COLUMNS)

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.pass_obj
def remove(output: Output, id: int) -> None:
    """Remove a map that was created.  Pins and maps of maps that it is in keep it still."""

    async def work(client: "Client") -> None:
        kept = await (await client.map(id)).remove()
        said = f"map {id} is removed"
        if kept:
            said = f"map {id} stays until these let it go: {keepers_text(kept)}"
        output.emit({"id": id, **keepers_json(kept)}, lambda: echo(said))

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.option("--count", type=click.IntRange(1), help="End after so many records.")
@click.pass_obj
def events(output: Output, id: int, count: int | None) -> None:
    """Print records of a ring buffer or perf event array."""

    async def work(client: "Client") -> None:
        source = await client.map(id)
        async for records in source.events(count=count or 0):
            for record in records:
                output.emit_line(record_fields(record), record_text(source, record))
            for fields, text in lost_lines(records):
                output.emit_line(fields, text)

    output.follow(work)


for _command in COMMANDS:
    map_commands.add_command(_command)
_set = copy(update)  # the same under the SDK's word
_set.hidden = True
map_commands.add_command(_set, "set")
