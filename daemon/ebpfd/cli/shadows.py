"""``ebpfctl link shadow``."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_record, print_table

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Shadow, ShadowDifference

COLUMNS = ("event", "code", "result", "shadow_code", "shadow_result", "context", "data")

SHOWN_DIGITS = 64
"""Of a context or of data, for people."""


@click.group()
def shadow() -> None:
    """A second program on a link that sees what its own sees, and decides nothing."""


@shadow.command("set")
@click.argument("id", type=int)
@click.argument("program", type=int)
@click.option(
    "--share",
    type=click.IntRange(1, 100),
    metavar="PERCENT",
    help="Of one processor's time, what it may take.  [default: 20]",
)
@click.pass_obj
def set_(output: Output, id: int, program: int, share: int | None) -> None:
    """Run a loaded program beside a link's own, and compare what they say.

    It has maps of its own, and no event waits for it: what it is too slow for is dropped, and what
    is beyond its share of time is skipped.
    """
    _run(output, lambda client: client.set_shadow(id, program, share_percent=share or 0))


@shadow.command()
@click.argument("id", type=int)
@click.pass_obj
def clear(output: Output, id: int) -> None:
    """Take a link's shadow away, and show what it came to."""
    _run(output, lambda client: client.clear_shadow(id))


@shadow.command()
@click.argument("id", type=int)
@click.pass_obj
def show(output: Output, id: int) -> None:
    """Show how often a link's shadow differed, and the latest events that did."""
    _run(output, lambda client: client.shadow(id))


def _run(output: Output, ask: "Callable[[Client], Awaitable[Shadow]]") -> None:
    async def work(client: "Client") -> None:
        shown = await ask(client)
        row = _describe(shown)
        recent = [_difference(each) for each in shown.recent]

        def text() -> None:
            print_record(row)
            if recent:
                echo()
                print_table([_brief(each) for each in recent], COLUMNS)

        output.emit({**row, "recent": recent}, text)

    output.run(work)


def _describe(each: "Shadow") -> dict[str, Json]:
    return {
        "link": each.link_id,
        "program": each.program_id,
        "name": each.program_name,
        "events": each.events,
        "differing": each.differing,
        "dropped": each.dropped,
        "skipped": each.skipped,
        "share_percent": each.share_percent,
        "unknown": each.unknown,
        "stopped": each.stopped,
    }


def _difference(each: "ShadowDifference") -> dict[str, Json]:
    return {
        "event": each.event,
        "context": each.context.hex(),
        "data": each.data.hex(),
        "code": each.code,
        "result": each.result,
        "shadow_code": each.shadow_code,
        "shadow_result": each.shadow_result,
    }


def _brief(row: dict[str, Json]) -> dict[str, Json]:
    return {
        name: f"{value[:SHOWN_DIGITS]}…"
        if isinstance(value, str) and len(value) > SHOWN_DIGITS
        else value
        for name, value in row.items()
    }
