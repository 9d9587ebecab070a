"""``ebpfctl map``."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output
from ebpfd.cli.parameters import MapBytes, parse_map_bytes

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Map

COLUMNS = ("id", "name", "type", "key_size", "value_size", "max_entries", "programs")
LARGEST_NUMBER = 8
"""Bytes of a key or value that are also shown as a number."""


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
def dump(output: Output, id: int) -> None:
    """Print all entries of a map."""

    async def work(client: "Client") -> None:
        entries = await (await client.map(id)).items()
        rows = [_entry(key, value) for key, value in entries]
        output.table(rows, ("key", "value", "key_number", "value_number"))

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.pass_obj
def get(output: Output, id: int, key: str) -> None:
    """Print the value of a key."""

    async def work(client: "Client") -> None:
        wanted = parse_map_bytes(key)
        value = await (await client.map(id)).get(wanted)
        if value is None:
            from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (late, as in Output.run)

            raise EbpfdError(Result.OBJECT_NOT_FOUND, f"map {id} has no key {key}")
        number = _number(value)
        fields: dict[str, Json] = {"value": value.hex(), "value_number": number}
        output.emit(
            fields, lambda: click.echo(f"{value.hex()}  {number if number is not None else ''}")
        )

    output.run(work)


@map_commands.command("set")
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.argument("value", type=MapBytes())
@click.pass_obj
def set_(output: Output, id: int, key: str, value: str) -> None:
    """Write a value."""

    async def work(client: "Client") -> None:
        await (await client.map(id)).set(parse_map_bytes(key), parse_map_bytes(value))
        output.emit({"id": id}, lambda: click.echo("written"))

    output.run(work)


@map_commands.command()
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.pass_obj
def delete(output: Output, id: int, key: str) -> None:
    """Delete an entry."""

    async def work(client: "Client") -> None:
        await (await client.map(id)).delete(parse_map_bytes(key))
        output.emit({"id": id}, lambda: click.echo("deleted"))

    output.run(work)


def describe(each: "Map") -> dict[str, Json]:
    """A map's fields."""
    return {
        "id": each.id,
        "name": each.name,
        "type": each.type_name,
        "key_size": each.key_size,
        "value_size": each.value_size,
        "max_entries": each.max_entries,
        "flags": each.flags,
        "programs": list(each.program_ids),
    }


def _entry(key: bytes, value: bytes) -> dict[str, Json]:
    return {
        "key": key.hex(),
        "value": value.hex(),
        "key_number": _number(key),
        "value_number": _number(value),
    }


def _number(raw: bytes) -> int | None:
    return int.from_bytes(raw, "little") if len(raw) <= LARGEST_NUMBER else None
