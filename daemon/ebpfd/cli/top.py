"""``ebpfctl top``: what runs now, how often, how long."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, table_lines
from ebpfd.cli.programs import quantiles
from ebpfd.cli.rates import NS_A_SECOND, Activity, Period, period, results

if TYPE_CHECKING:
    from ebpfd_sdk import Client, LinkStats, ProgramStats, Stats

HOME: Final = "\x1b[H\x1b[J"
"""To the upper left corner of a terminal, and clear it."""

_ACTIVITY: Final = ("runs/s", "ns/run", "busy", "p50", "p99")
_LINK_COLUMNS: Final = ("link", "name", "hook", *_ACTIVITY, "in_flight", "running", "failures")
_PROGRAM_COLUMNS: Final = ("program", "name", "type", *_ACTIVITY, "failures")


@click.command()
@click.option(
    "--interval",
    type=click.FloatRange(0.05, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each period is.",
)
@click.option("--once", is_flag=True, help="Show one period, and end.")
@click.pass_obj
def top(output: Output, interval: float, once: bool) -> None:
    """Show what links and programs do now, the busiest first.

    Busy is the part of one processor's time that runs take, waits for helpers included.  With
    `-o json` a line for each period.
    """

    async def work(client: "Client") -> None:
        before = await client.stats()
        while True:
            await asyncio.sleep(interval)
            now = await client.stats()
            _show(output, now, period(before, now))
            if once:
                return
            before = now

    output.follow(work)


def _show(output: Output, now: "Stats", seen: Period) -> None:
    if output.json:
        output.emit_line(as_json(now, seen), "")
        return
    lines = list(as_text(now, seen))
    if sys.stdout.isatty():
        size = shutil.get_terminal_size()
        lines = [line[: size.columns] for line in lines[: size.lines - 1]]
        click.echo(HOME, nl=False)
    echo("\n".join(lines))
    sys.stdout.flush()


def as_json(now: "Stats", seen: Period) -> dict[str, Json]:
    """A period's fields."""
    return {
        "seconds": round(seen.seconds, 6),
        "uptime_s": round(now.uptime_ns / NS_A_SECOND, 3),
        **_daemon(now),
        "links": [
            {
                **_link(link),
                "in_flight": link.in_flight,
                "running": link.running,
                **_fields(did),
                "total": {**_total(link), "outcomes": asdict(link.outcomes)},
            }
            for link, did in seen.links
        ],
        "programs": [
            {**_program(program), **_fields(did), "total": _total(program)}
            for program, did in seen.programs
        ],
    }


def as_text(now: "Stats", seen: Period) -> Iterator[str]:
    """A period as people read it, line by line."""
    up = timedelta(seconds=now.uptime_ns // NS_A_SECOND)
    counts = {"up": str(up), **_daemon(now), "map_bytes": bytes_text(now.map_bytes)}
    yield "  ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts.items())
    yield ""
    links = [
        {
            **_link(link),
            "in_flight": link.in_flight,
            "running": link.running,
            **_cells(did),
        }
        for link, did in seen.links
    ]
    yield from table_lines(links, _LINK_COLUMNS) if links else ["no links"]
    yield ""
    programs = [{**_program(program), **_cells(did)} for program, did in seen.programs]
    yield from table_lines(programs, _PROGRAM_COLUMNS) if programs else ["no programs"]
    yield ""


def _daemon(now: "Stats") -> dict[str, Json]:
    return {
        "sessions": now.sessions,
        "registrations": now.registrations,
        "bindings": now.bindings,
        "in_flight": now.in_flight,
        "running": now.running,
        "maps": now.maps,
        "map_bytes": now.map_bytes,
        "pins": now.pins,
        "owners": now.owners,
        "refused": sum(each.refused for each in now.quotas),
    }


def _link(link: "LinkStats") -> dict[str, Json]:
    return {
        "link": link.id,
        "program": link.program_id,
        "name": link.program_name,
        "hook": link.attach_type_name,
        "parameter": link.parameter.hex(),
    }


def _program(program: "ProgramStats") -> dict[str, Json]:
    return {"program": program.id, "name": program.name, "type": program.program_type_name}


def _fields(did: Activity) -> dict[str, Json]:
    return {
        "runs": did.runs,
        "runs_per_s": round(did.runs_per_s, 3),
        "ns_per_run": _rounded(did.ns_per_run),
        "busy": round(did.busy, 6),
        "p50_ns": _rounded(did.p50_ns),
        "p99_ns": _rounded(did.p99_ns),
        "failures": dict(did.failures),
    }


def _total(each: "LinkStats | ProgramStats") -> dict[str, Json]:
    """Since there is such a link or program."""
    counted, latency = each.counters, each.latency
    return {
        "runs": counted.runs,
        "nanoseconds": counted.nanoseconds,
        **quantiles(latency),
        "failures": results(each),
    }


def _cells(did: Activity) -> dict[str, Json]:
    return {
        "runs/s": f"{did.runs_per_s:,.0f}" if did.runs else "-",
        "ns/run": "-" if did.ns_per_run is None else f"{did.ns_per_run:,.0f}",
        "busy": f"{did.busy:.1%}",
        "p50": _time(did.p50_ns),
        "p99": _time(did.p99_ns),
        "failures": dict(did.failures),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _time(nanoseconds: float | None) -> str:
    """To two digits or three, in the unit that suits."""
    if nanoseconds is None:
        return "-"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def bytes_text(count: int) -> str:
    """So many bytes as people say it."""
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >> shift:
            return f"{count / (1 << shift):.3g} {unit}"
    return f"{count} B"
