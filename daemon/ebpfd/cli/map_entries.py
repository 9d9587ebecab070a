"""``ebpfctl map``: reading and writing entries."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.map_text import entry, entry_columns, number, value_fields, value_text
from ebpfd.cli.output import Output
from ebpfd.cli.parameters import MapBytes, existing_file, parse_map_bytes
from ebpfd_api.map_type import MapType

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Map

RESTORED_AT_ONCE = 1024


@click.command()
@click.argument("id", type=int)
@click.option("--take", is_flag=True, help="Delete what is printed.")
@click.pass_obj
def dump(output: Output, id: int, take: bool) -> None:
    """Print all entries of a map."""

    async def work(client: "Client") -> None:
        dumped = await client.map(id)
        entries = await _take_all(dumped) if take else await dumped.items()
        rows = [entry(dumped, key, value) for key, value in entries]
        output.table(rows, entry_columns(dumped))

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("file", type=existing_file())
@click.pass_obj
def restore(output: Output, id: int, file: str) -> None:
    """Write the entries that `-o json map dump` has printed into FILE."""
    try:
        rows = json.loads(Path(file).read_text())
        entries = [(bytes.fromhex(row["key"]), _dumped_value(row)) for row in rows]
    except (ValueError, KeyError, TypeError):
        raise click.BadParameter(f"{file} is not what `-o json map dump` prints") from None

    async def work(client: "Client") -> None:
        written = await client.map(id)
        for start in range(0, len(entries), RESTORED_AT_ONCE):
            await written.set_many(entries[start : start + RESTORED_AT_ONCE])
        output.emit({"id": id, "entries": len(entries)}, lambda: echo(f"{len(entries)} written"))

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.pass_obj
def get(output: Output, id: int, key: str) -> None:
    """Print the value of a key; of a per-CPU map one value a lane."""

    async def work(client: "Client") -> None:
        read = await client.map(id)
        _show(output, read, await read.get(parse_map_bytes(key)), f"map {id} has no key {key}")

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.pass_obj
def take(output: Output, id: int, key: str) -> None:
    """Print the value of a key, and delete it."""

    async def work(client: "Client") -> None:
        read = await client.map(id)
        _show(output, read, await read.take(parse_map_bytes(key)), f"map {id} has no key {key}")

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("key", type=MapBytes())
@click.argument("values", type=MapBytes(), nargs=-1, metavar="[VALUE]...")
@click.option("--program", type=int, metavar="ID", help="Put this program under the key.")
@click.option("--map", "inner", type=int, metavar="ID", help="Put this map under the key.")
@click.option(
    "--expect",
    type=click.Choice(["any", "noexist", "exist"]),
    default="any",
    show_default=True,
    help="What must be there already.",
)
@click.pass_obj
def update(
    output: Output,
    id: int,
    key: str,
    values: tuple[str, ...],
    program: int | None,
    inner: int | None,
    expect: Literal["any", "noexist", "exist"],
) -> None:
    """Write a value; of a per-CPU map one for each lane.

    Program arrays and maps of maps take --program or --map instead.
    """
    if (program is not None) + (inner is not None) + bool(values) != 1:
        raise click.UsageError("give a VALUE, or --program, or --map")

    async def work(client: "Client") -> None:
        from ebpfd_sdk import MapUpdate  # noqa: PLC0415 (late, as in Output.run)

        written, flag = await client.map(id), MapUpdate[expect.upper()]
        where = parse_map_bytes(key)
        if program is not None:
            await written.set_program(where, program, flag)
        elif inner is not None:
            await written.set_map(where, inner, flag)
        else:
            given = [parse_map_bytes(value) for value in values]
            single = len(given) == 1 and not (written.lanes and isinstance(given[0], int))
            await written.set(where, given[0] if single else given, flag)
        output.emit({"id": id}, lambda: echo("written"))

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("keys", type=MapBytes(), nargs=-1, required=True, metavar="KEY...")
@click.pass_obj
def delete(output: Output, id: int, keys: tuple[str, ...]) -> None:
    """Delete entries, in order, until one fails."""

    async def work(client: "Client") -> None:
        wanted = [parse_map_bytes(key) for key in keys]
        changed = await client.map(id)
        if len(wanted) == 1:
            await changed.delete(wanted[0])
        else:
            await changed.delete_many(wanted)
        output.emit({"id": id}, lambda: echo("deleted"))

    output.run(work)


@click.command("next")
@click.argument("id", type=int)
@click.argument("key", type=MapBytes(), required=False)
@click.pass_obj
def next_(output: Output, id: int, key: str | None) -> None:
    """Print the key that follows KEY, or the first."""

    async def work(client: "Client") -> None:
        after = None if key is None else parse_map_bytes(key)
        found = await (await client.map(id)).next_key(after)
        if found is None:
            _fail("NO_MORE_KEYS", f"map {id} has no more keys")
        else:
            output.emit(
                {"key": found.hex(), "key_number": number(found)}, lambda: echo(found.hex())
            )

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.argument("value", type=MapBytes())
@click.option("--drop-oldest", is_flag=True, help="Of a full one, instead of refusing.")
@click.pass_obj
def push(output: Output, id: int, value: str, drop_oldest: bool) -> None:
    """Add a value to a queue or stack."""

    async def work(client: "Client") -> None:
        await (await _queue(client, id)).push(parse_map_bytes(value), drop_oldest=drop_oldest)
        output.emit({"id": id}, lambda: echo("pushed"))

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.pass_obj
def pop(output: Output, id: int) -> None:
    """Print the next value of a queue or stack, and remove it."""

    async def work(client: "Client") -> None:
        read = await _queue(client, id)
        _show(output, read, await read.pop(), f"map {id} is empty")

    output.run(work)


@click.command()
@click.argument("id", type=int)
@click.pass_obj
def peek(output: Output, id: int) -> None:
    """Print the next value of a queue or stack."""

    async def work(client: "Client") -> None:
        read = await _queue(client, id)
        _show(output, read, await read.peek(), f"map {id} is empty")

    output.run(work)


async def _queue(client: "Client", id: int) -> "Map":
    found = await client.map(id)
    if found.type < MapType.SAMPLE_HASH_MAP and found.type not in {MapType.QUEUE, MapType.STACK}:
        what = f"map {id} is no queue or stack, but of type {found.type_name}"
        _fail("INVALID_ARGUMENT", f"{what}: `ebpfctl map get` and `map update` take a key")
    return found


def _show(output: Output, source: "Map", value: bytes | None, missing: str) -> None:
    if value is None:
        _fail("OBJECT_NOT_FOUND", missing)
    else:
        output.emit(value_fields(source, value), lambda: echo(value_text(source, value)))


def _fail(code: str, message: str) -> None:
    from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (late, as in Output.run)

    raise EbpfdError(Result[code], message)


def _dumped_value(row: dict[str, str | Sequence[str]]) -> bytes | list[bytes | int]:
    if isinstance(value := row.get("value"), str):
        return bytes.fromhex(value)
    return [bytes.fromhex(each) for each in row["values"]]


async def _take_all(source: "Map") -> list[tuple[bytes, bytes]]:
    taken: list[tuple[bytes, bytes]] = []
    after: bytes | None = None
    while True:
        page = await source.page(RESTORED_AT_ONCE, after=after, take=True)
        taken.extend(page.entries)
        if (after := page.next) is None:
            return taken


COMMANDS = (dump, restore, get, take, update, delete, next_, push, pop, peek)
