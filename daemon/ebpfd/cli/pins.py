"""``ebpfctl pin`` and ``ebpfctl owner``: who keeps objects."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output
from ebpfd.cli.peers import peer_json

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Keepers, Pin

COLUMNS = ("path", "type", "id", "name")
TYPES = ("program", "map", "link")


@click.group()
def pin() -> None:
    r"""Pins: paths that keep programs, maps and links.

    /my/pin, my\pin and BPF:\my\pin are one PATH.  Case counts.
    """


@pin.command()
@click.argument("path")
@click.argument("id", type=int)
@click.pass_obj
def add(output: Output, path: str, id: int) -> None:
    """Pin the program, map or link with an id; it may have several pins."""

    async def work(client: "Client") -> None:
        output.table([_describe(await client.pin(path, id))], COLUMNS)

    output.run(work)


@pin.command()
@click.argument("path")
@click.pass_obj
def remove(output: Output, path: str) -> None:
    """Remove a pin, and what nobody else keeps.  Returns when that has gone."""

    async def work(client: "Client") -> None:
        await client.unpin(path)
        output.emit({"path": path}, lambda: echo(f"{path} is unpinned"))

    output.run(work)


@pin.command("list")
@click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="Only these.")
@click.pass_obj
def list_(output: Output, types: tuple[str, ...]) -> None:
    """List the pins by path."""

    async def work(client: "Client") -> None:
        from ebpfd_sdk import ObjectType  # noqa: PLC0415 (late, as in Output.run)

        wanted = [ObjectType[each.upper()] for each in types]
        output.table([_describe(each) for each in await client.pins(*wanted)], COLUMNS)

    output.run(work)


@click.group()
def owner() -> None:
    """Owners: clients whose objects go when they end."""


@owner.command("list")
@click.pass_obj
def list_owners(output: Output) -> None:
    """List the clients that hold objects, and the ids of those."""

    async def work(client: "Client") -> None:
        rows: list[dict[str, Json]] = [
            {"name": each.name, "peer": peer_json(each.peer), "ids": list(each.ids)}
            for each in await client.owners()
        ]
        output.table(rows, ("name", "peer", "ids"))

    output.run(work)


def keepers_json(kept: "Keepers") -> dict[str, Json]:
    """Who still has what was given up."""
    return {
        "links": list(kept.links),
        "held_by": list(kept.maps),
        "pins": list(kept.pins),
        "owners": list(kept.owners),
    }


def keepers_text(kept: "Keepers") -> str:
    """The same in words."""
    names = [f"link {each}" for each in kept.links]
    names += [f"map {each}" for each in kept.maps]
    names += [f"pin {each}" for each in kept.pins]
    return ", ".join([*names, *kept.owners])


def _describe(each: "Pin") -> dict[str, Json]:
    return {"path": each.path, "type": each.type.name.lower(), "id": each.id, "name": each.name}
