"""``ebpfctl whoami``: who one is to the daemon, and what one may do there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, cell, print_table
from ebpfd.cli.peers import peer_json

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Me


@click.command()
@click.pass_obj
def whoami(output: Output) -> None:
    """Show who you are to the daemon, your roles, and what they allow."""

    async def work(client: "Client") -> None:
        me = await client.who_am_i()
        output.emit(_json(me), lambda: _print(me))

    output.run(work)


def _json(me: "Me") -> dict[str, Json]:
    return {
        "peer": peer_json(me.peer),
        "restricted": me.restricted,
        "roles": [{"name": each.name, "rights": _rights(each.rights)} for each in me.roles],
    }


def _rights(rights: Mapping[str, tuple[str, ...]]) -> dict[str, Json]:
    return {action: list(things) for action, things in rights.items()}


def _print(me: "Me") -> None:
    known = peer_json(me.peer)
    echo(f"you are {cell(known)}" if known else "the daemon does not know who you are")
    if not me.restricted:
        echo("you need no roles here: you may do all")
        return
    rows: list[dict[str, Json]] = [
        {"role": role.name, "may": action, "things": list(things)}
        for role in me.roles
        for action, things in role.rights.items()
    ]
    print_table(rows, ("role", "may", "things"))
