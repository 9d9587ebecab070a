"""``ebpfctl hook``."""

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

import click

from ebpfd.cli.links import describe as describe_link
from ebpfd.cli.output import Json, Output, print_record, print_table
from ebpfd.cli.parameters import Hex, HexOrFile

if TYPE_CHECKING:
    from ebpfd_sdk import Client, HookInfo

COLUMNS = ("hook", "takes", "program_type", "provider", "links", "attach_type")
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
            click.echo()
            print_table(links, LINK_COLUMNS)

        output.emit(row, text)

    output.run(work)


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.option("--param", type=Hex(), help="The attach parameter; left out: the first link.")
@click.option("--data", type=HexOrFile(), default=b"", help="What data and data_end span.")
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
    context: bytes,
    count: int,
    deadline: float | None,
) -> None:
    """Fire a hook, and let its extension run what is attached."""

    async def work(client: "Client") -> None:
        from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (late, as in Output.run)

        columns = await client.fire_batch(
            attach_type,
            contexts=context * count,
            count=count,
            data=data * count,
            data_lengths=[len(data)] * count,
            parameter=param,
            deadline_ms=ceil(1000 * (deadline or 0)),
        )
        codes = [columns.code] if columns.code else [Result(code) for code in columns.codes]
        if failed := next((code for code in codes if code is not Result.SUCCESS), None):
            raise EbpfdError(failed, columns.message)
        results = [
            int.from_bytes(columns.results[at : at + 4], "little")
            for at in range(0, len(columns.results), 4)
        ]
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
        "link_type": each.link_type,
        "bpf_attach_type": each.bpf_attach_type,
        "links": [describe_link(link) for link in each.links],
    }


def _print(results: list[int]) -> None:
    if len(results) == 1:
        click.echo(f"result {results[0]}")
        return
    for result, times in Counter(results).most_common():
        click.echo(f"result {result}: {times} times")
