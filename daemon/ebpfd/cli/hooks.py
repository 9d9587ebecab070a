"""``ebpfctl hook``."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.links import describe as describe_link
from ebpfd.cli.output import Json, Output, print_record, print_table
from ebpfd.cli.parameters import Hex, HexOrFile, meta_length_option
from ebpfd.cli.policy import ResultChoice
from ebpfd.cli.shipped import ShippedFile

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Columns, EbpfdError, HookInfo, Result

COLUMNS = ("hook", "takes", "program_type", "provider", "links", "attach_type")
TAKES = (
    "multi_attach_with_wildcard",
    "single_attach",
    "single_attach_per_hook",
    "one_per_parameter",
)
LINK_COLUMNS = (
    "order",
    "link",
    "parameter",
    "wildcard",
    "priority",
    "program",
    "name",
    "state",
    "runs",
)


@click.group()
def hook() -> None:
    """Hooks: where programs are attached."""


@hook.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the hooks that are known, also those whose extension is away."""

    async def work(client: "Client") -> None:
        hooks = await client.hooks()
        rows = [describe(each) for each in hooks]
        text = [{**describe(each), "links": len(each.links)} for each in hooks]
        output.emit(rows, lambda: print_table(text, COLUMNS))

    output.run(work)


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.pass_obj
def show(output: Output, attach_type: str) -> None:
    """Show a hook and its links, in invocation order.

    An event meets the links of its own parameter, then those that are for every one (wildcards).
    """

    async def work(client: "Client") -> None:
        (shown,) = await client.hooks(attach_type)
        row = describe(shown)
        links = [
            {**describe_link(each), "order": order, "link": each.id}
            for order, each in enumerate(shown.links, start=1)
        ]

        def text() -> None:
            print_record({name: value for name, value in row.items() if name != "links"})
            echo()
            print_table(links, LINK_COLUMNS)

        output.emit(row, text)

    output.run(work)


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.option("--param", type=Hex(), help="The attach parameter; left out: the first link.")
@click.option("--data", type=HexOrFile(), default=b"", help="What data and data_end span.")
@meta_length_option
@click.option("--context", type=Hex(), default=b"", help="The context; zeros if left out.")
@click.option("--count", type=click.IntRange(1, 65536), default=1, show_default=True)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True, max=86400),
    default=None,
    metavar="SECONDS",
    help="Answer by then, and wait until then for an extension.  [default: 5, no wait]",
)
@click.pass_obj
def fire(
    output: Output,
    attach_type: str,
    param: bytes | None,
    data: bytes,
    meta_length: int,
    context: bytes,
    count: int,
    deadline: float | None,
) -> None:
    """Fire a hook, and let its extension run what is attached.

    Of an event whose run failed, the result is the one that its link's policy has for it
    (`link attach --on-failure`).
    """

    async def work(client: "Client") -> None:
        columns = await client.fire_batch(
            attach_type,
            contexts=context * count,
            count=count,
            data=data * count,
            data_lengths=[len(data)] * count,
            meta_lengths=[meta_length] * count,
            parameter=param,
            deadline_s=deadline,
        )
        if columns.code:
            output.fail(not_run(columns))
        outcomes = outcomes_of(columns)
        results = [each.result for each in outcomes]
        if any(each.code for each in outcomes):
            output.fail(failure_of(outcomes, columns.message), _counted(outcomes))
        answer: dict[str, Json] = {
            "count": count,
            "results": {str(result): times for result, times in Counter(results).items()},
            "context": (columns.contexts or context * count)[
                : len(columns.contexts) // count
            ].hex(),
            "data": (columns.data or data)[: len(data)].hex(),
        }
        output.emit(answer, lambda: _print(results))

    output.run(work)


@hook.command()
@click.argument("name")
@click.option("--program-type", required=True, metavar="GUID|NAME", help="Of its programs.")
@click.option("--attach-type", type=click.UUID, metavar="GUID", help="Its own GUID.")
@click.option(
    "--takes",
    type=click.Choice(TAKES),
    default=TAKES[-1],
    show_default=True,
    help="How many links.",
)
@click.option(
    "--wildcard", "wildcards", type=Hex(), multiple=True, help="Parameter of links for every event."
)
@click.option(
    "--default-result",
    type=ResultChoice(),
    help="Of events that reach nobody, by number or name; else the type's.",
)
@click.option(
    "--closed-result",
    type=ResultChoice(),
    help='By which it stops an event: what "closed" means in a link\'s policy.',
)
@click.pass_obj
def create(
    output: Output,
    name: str,
    program_type: str,
    attach_type: UUID | None,
    takes: str,
    wildcards: tuple[bytes, ...],
    default_result: int | str | None,
    closed_result: int | str | None,
) -> None:
    """Let the daemon itself provide a hook.

    Programs are attached to it, and clients fire it, with no extension. It is kept until it is
    removed. Without --attach-type its GUID follows from its name and its program type.
    """

    async def work(client: "Client") -> None:
        from ebpfd_api.attach_capability import AttachCapability  # noqa: PLC0415 (late, as in Output.run)

        created = await client.create_hook(
            name,
            program_type,
            attach_type=attach_type,
            capability=AttachCapability[takes.upper()],
            wildcards=wildcards or None,
            default_result=default_result,
            closed_result=closed_result,
        )
        row = describe(created)
        output.emit(row, lambda: echo(f"hook {created.name} ({created.attach_type})"))

    output.run(work)


@hook.command("import")
@click.argument("file", metavar="FILE|NAME", type=ShippedFile("hook", "contracts/hooks"))
@click.pass_obj
def import_(output: Output, file: str) -> None:
    """Take in a hook's contract, as `export` writes it; its program type must be known.

    If it says "hosted", the daemon provides the hook from now on, as with `create`; else it is
    known, and waits for its extension.

    NAME is one of those of eBPF for Windows that come with ebpfd: bind, cgroup_inet4_connect,
    cgroup_inet4_recv_accept, cgroup_sock_ops, inet4_bind, inet4_connect_authorization,
    inet4_listen, each also with inet6 for inet4, netevent, process, sample_ext, xdp.
    """

    async def work(client: "Client") -> None:
        taken = await client.import_hook(await asyncio.to_thread(Path(file).read_bytes))
        row = describe(taken)
        output.emit(row, lambda: echo(f"hook {taken.name} ({taken.attach_type})"))

    output.run(work)


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.option("--to", type=click.Path(dir_okay=False), help="A file, instead of standard output.")
@click.pass_obj
def export(output: Output, attach_type: str, to: str | None) -> None:
    """Write a hook's contract as JSON."""

    async def work(client: "Client") -> None:
        await output.write(await client.export_hook(attach_type), to)

    output.run(work)


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.pass_obj
def remove(output: Output, attach_type: str) -> None:
    """Remove a hook, once nothing is attached to it.

    It is one that the daemon provides, or one whose extension is gone.
    """

    async def work(client: "Client") -> None:
        await client.remove_hook(attach_type)
        row: dict[str, Json] = {"removed": attach_type}
        output.emit(row, lambda: echo(f"removed {attach_type}"))

    output.run(work)


def describe(each: "HookInfo") -> dict[str, Json]:
    """A hook's fields."""
    return {
        "hook": each.name,
        "attach_type": str(each.attach_type),
        "program_type": each.program_type_name or str(each.program_type),
        "takes": each.capability.name.lower(),
        "wildcards": [wildcard.hex() for wildcard in each.wildcards],
        "closed_result": each.closed_result,
        "provider": each.provider,
        "hosted": each.hosted,
        "default_result": each.default_result,
        "link_type": each.link_type,
        "bpf_attach_type": each.bpf_attach_type,
        "links": [describe_link(link) for link in each.links],
    }


class Outcome(NamedTuple):
    """What an event came to: the code of its run, and what its hook does with it."""

    code: "Result"
    result: int


def outcomes_of(columns: "Columns") -> list[Outcome]:
    """The outcome of each event of a batch that was run."""
    from ebpfd_sdk import Result  # noqa: PLC0415 (late, as in Output.run)

    return list(map(Outcome, map(Result, columns.codes), columns.numbers))


def not_run(columns: "Columns") -> "EbpfdError":
    """What to say of events that met no program."""
    from ebpfd_sdk import EbpfdError  # noqa: PLC0415 (late, as in Output.run)

    result = f"; result {columns.failure_result}" if columns.failure_result else ""
    return EbpfdError(columns.code, f"{columns.message or columns.code.name}{result}")


def failure_of(outcomes: list[Outcome], message: str) -> "EbpfdError":
    """What to say of events of which some have failed."""
    from ebpfd_sdk import EbpfdError  # noqa: PLC0415 (late, as in Output.run)

    first = next(each.code for each in outcomes if each.code)
    why = message or "the program's run failed: `ebpfctl trace` shows what it printed"
    if len(outcomes) == 1:
        return EbpfdError(first, f"{why}; result {outcomes[0].result} (chosen by --on-failure)")
    lines = [
        f"  {each.code.name}: result {each.result}"
        f"{' (chosen by --on-failure)' if each.code else ''}: {times} times"
        for each, times in Counter(outcomes).most_common()
    ]
    return EbpfdError(first, "\n".join((why, *lines)))


def _counted(outcomes: list[Outcome]) -> Mapping[str, Json]:
    """Of an error, how many events had which code and result."""
    counted: list[Json] = [
        {"code": each.code.value, "name": each.code.name, "result": each.result, "count": times}
        for each, times in Counter(outcomes).most_common()
    ]
    return {"events": counted}


def _print(results: list[int]) -> None:
    if len(results) == 1:
        echo(f"result {results[0]}")
        return
    for result, times in Counter(results).most_common():
        echo(f"result {result}: {times} times")
