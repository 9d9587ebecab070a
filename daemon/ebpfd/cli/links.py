"""``ebpfctl link``."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output
from ebpfd.cli.parameters import Hex
from ebpfd.cli.programs import failures

if TYPE_CHECKING:
    from ebpfd_sdk import AttachedLink, Client

COLUMNS = ("id", "program", "name", "hook", "parameter", "state", "binding", "provider", "runs")


@click.group()
def link() -> None:
    """Links: programs attached to hooks."""


@link.command()
@click.argument("program", type=int)
@click.option("--attach-type", required=True, metavar="GUID|NAME", help="The hook.")
@click.option("--param", type=Hex(), default=b"", help="The attach parameter.")
@click.pass_obj
def attach(output: Output, program: int, attach_type: str, param: bytes) -> None:
    """Attach a program to a hook."""

    async def work(client: "Client") -> None:
        attached = await (await client.program(program)).attach(attach_type, parameter=param)
        output.table([describe(attached)], COLUMNS)

    output.run(work)


@link.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the links in invocation order for each hook."""

    async def work(client: "Client") -> None:
        output.table([describe(each) for each in await client.links()], COLUMNS)

    output.run(work)


@link.command()
@click.argument("id", type=int)
@click.pass_obj
def detach(output: Output, id: int) -> None:
    """Detach a link; returns when nothing of it is in flight."""

    async def work(client: "Client") -> None:
        await client.detach(id)
        output.emit({"id": id}, lambda: click.echo(f"link {id} is detached"))

    output.run(work)


def describe(each: "AttachedLink") -> dict[str, Json]:
    """A link's fields."""
    return {
        "id": each.id,
        "program": each.program_id,
        "name": each.program_name,
        "hook": each.attach_type_name,
        "attach_type": str(each.attach_type),
        "parameter": each.parameter.hex(),
        "state": each.state.name.lower(),
        "binding": each.binding,
        "provider": each.provider,
        "runs": each.counters.runs,
        "failures": failures(each.counters),
    }
