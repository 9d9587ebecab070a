"""``ebpfctl link``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_table
from ebpfd.cli.parameters import Flags, Hex
from ebpfd.cli.policy import (
    breaker,
    choices,
    describe_breaker,
    describe_policy,
    policy_options,
)
from ebpfd.cli.program_argument import ProgramArgument, chosen
from ebpfd.cli.programs import failures, quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ebpfd_sdk import AttachedLink, Client

COLUMNS = (
    "id",
    "program",
    "name",
    "hook",
    "parameter",
    "priority",
    "state",
    "binding",
    "provider",
    "outcomes",
)


@click.group()
def link() -> None:
    """Links: programs attached to hooks."""


@link.command()
@click.argument("program", type=ProgramArgument(), metavar=ProgramArgument.name)
@click.option("--attach-type", required=True, metavar="GUID|NAME", help="The hook.")
@click.option("--param", type=Hex(), default=b"", help="The attach parameter.")
@click.option("--priority", type=int, default=0, help="Of one parameter's links, lower runs first.")
@policy_options
@click.option("--flags", type=Flags(), help="For the hook, which defines them; else the program's.")
@click.option("--pin", "path", metavar="PATH", help="Pin the link too.")
@click.pass_obj
def attach(
    output: Output,
    /,
    program: str,
    attach_type: str,
    param: bytes,
    priority: int,
    flags: int | None,
    path: str | None,
    break_after: int | None,
    retry_after: float | None,
    **on_failures: int | str | None,
) -> None:
    """Attach a program to a hook; the link stays until it is detached.

    The program is a loaded one, or is loaded from an object file.
    """
    rule = breaker(break_after, retry_after)

    async def work(client: "Client") -> None:
        async with chosen(client, program) as attaching:
            attached = await attaching.attach(
                attach_type,
                parameter=param,
                priority=priority,
                on_failure=choices(on_failures),
                breaker=rule,
                flags=flags,
            )
            if path is not None:
                attached = await _pinned(client, attached, path)
        _emit(output, [attached])

    output.run(work)


@link.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the links in invocation order for each hook."""

    async def work(client: "Client") -> None:
        _emit(output, await client.links())

    output.run(work)


@link.command()
@click.argument("id", type=int)
@click.pass_obj
def show(output: Output, id: int) -> None:
    """Show everything about one link."""

    async def work(client: "Client") -> None:
        from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (as the client)

        found = next((each for each in await client.links() if each.id == id), None)
        if found is None:
            message = f"there is no link with id {id}: `ebpfctl link list` shows those there are"
            raise EbpfdError(Result.KEY_NOT_FOUND, message)
        output.record(describe(found))

    output.run(work)


@link.command()
@click.argument("id", type=int)
@click.pass_obj
def detach(output: Output, id: int) -> None:
    """Detach a link; returns when nothing of it is in flight."""

    async def work(client: "Client") -> None:
        await client.detach(id)
        output.emit({"id": id}, lambda: echo(f"link {id} is detached"))

    output.run(work)


@link.command("set-policy")
@click.argument("id", type=int)
@policy_options
@click.pass_obj
def set_policy(
    output: Output,
    /,
    id: int,
    break_after: int | None,
    retry_after: float | None,
    **on_failures: int | str | None,
) -> None:
    """Choose what becomes of events that cannot be run.

    A RESULT is a number, a name in the contract, open (the program type's default, as if nothing
    were attached) or closed (what the hook stops an event by).  What is not named stays as it is.
    """
    policy, rule = choices(on_failures), breaker(break_after, retry_after)
    if not policy and rule is None:
        raise click.UsageError("nothing is chosen: give --on-failure, or one for a single failure")

    async def work(client: "Client") -> None:
        output.record(describe(await client.set_policy(id, policy, breaker=rule)))

    output.run(work)


@link.command()
@click.argument("id", type=int)
@click.argument("program", type=int)
@click.option("--expect", type=int, default=0, metavar="PROGRAM", help="Only if it has this one.")
@click.pass_obj
def replace(output: Output, id: int, program: int, expect: int) -> None:
    """Put another program into a link; no event meets none or both."""

    async def work(client: "Client") -> None:
        replaced = await client.replace(id, program, expected_id=expect)
        _emit(output, [replaced])

    output.run(work)


@link.command()
@click.option("--attach-type", required=True, metavar="GUID|NAME", help="The hook.")
@click.option("--param", type=Hex(), default=b"", help="The attach parameter.")
@click.option("--program", type=int, default=0, help="Only links of this program.")
@click.pass_obj
def unlink(output: Output, attach_type: str, param: bytes, program: int) -> None:
    """Detach all links of a hook with one parameter."""

    async def work(client: "Client") -> None:
        ids = await client.unlink(attach_type, parameter=param, program_id=program)
        text = f"detached: {', '.join(map(str, ids))}"
        output.emit({"ids": list(ids)}, lambda: echo(text))

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
        "flags": each.flags,
        "priority": each.priority,
        "wildcard": each.wildcard,
        "policy": describe_policy(each.policy),
        "breaker": describe_breaker(each.breaker),
        "state": each.state.name.lower(),
        "binding": each.binding,
        "provider": each.provider,
        "where": each.where,
        "runs": each.counters.runs,
        **quantiles(each.latency),
        "failures": failures(each.counters),
        "outcomes": asdict(each.outcomes),
        "in_flight": each.in_flight,
        "running": each.running,
        "pins": list(each.pin_paths),
        "owners": list(each.owners),
    }


def _emit(output: Output, links: "Sequence[AttachedLink]") -> None:
    rows = [describe(each) for each in links]
    # A link that waits has no binding; what never happened is no news.
    shown = [
        {**row, "binding": row["binding"] or None, "outcomes": _happened(each)}
        for row, each in zip(rows, links, strict=True)
    ]
    output.emit(rows, lambda: print_table(shown, COLUMNS))


def _happened(each: "AttachedLink") -> dict[str, Json]:
    """What its events came to, and how often."""
    return {name: count for name, count in asdict(each.outcomes).items() if count}


async def _pinned(client: "Client", attached: "AttachedLink", path: str) -> "AttachedLink":
    """Pin it, or detach it again."""
    from ebpfd_sdk import EbpfdError  # noqa: PLC0415 (as the client)

    try:
        await client.pin(path, attached)
    except EbpfdError:
        await attached.detach()
        raise
    return await client.open_link(path)
