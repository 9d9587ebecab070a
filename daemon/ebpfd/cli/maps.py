"""``ebpfctl map``: maps themselves, and the records of those that have some."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.map_entries import COMMANDS, update
from ebpfd.cli.map_text import describe, lost_lines, record_fields, record_text
from ebpfd.cli.output import Output

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
) -> None:
    """Create a map, which lives until it is removed.

    TYPE is a name as `ebpfctl map list` shows it, like hash, or a number; also the name that an
    extension gives to a type that it provides.
    """

    async def work(client: "Client") -> None:
        made = await client.create_map(
            int(type) if type.isdecimal() else type.lower(),
            key_size,
            value_size,
            entries,
            name=name,
            flags=flags,
            inner=None if inner is None else await client.map(inner),
        )
        output.table([describe(made)], COLUMNS)

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.pass_obj
def remove(output: Output, id: int) -> None:
    """Remove a map that was created; one that is in a map of maps stays until it is not."""

    async def work(client: "Client") -> None:
        held = list(await (await client.map(id)).remove())
        said = f"map {id} is removed"
        if held:
            said = f"map {id} stays until these maps let it go: {', '.join(map(str, held))}"
        output.emit({"id": id, "held_by": held}, lambda: click.echo(said))

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.option("--count", type=click.IntRange(1), help="End after so many records.")
@click.pass_obj
def events(output: Output, id: int, count: int | None) -> None:
    """Print the records of a ring buffer or perf event array as they come."""

    async def work(client: "Client") -> None:
        source = await client.map(id)
        async for records in source.events(count=count or 0):
            for record in records:
                output.emit_line(record_fields(record), record_text(source, record))
            for fields, text in lost_lines(records):
                output.emit_line(fields, text)

    try:
        output.run(work)
    except KeyboardInterrupt:
        return  # the ordinary way to end it


for _command in COMMANDS:
    map_commands.add_command(_command)
map_commands.add_command(update, "set")
