"""``ebpfctl status``: whether all is well, and what to do if it is not."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from ebpfd.cli.echo import echo
from ebpfd.cli.output import Json, Output, print_record
from ebpfd.cli.rates import NS_A_SECOND
from ebpfd.cli.top import bytes_text

if TYPE_CHECKING:
    from ebpfd_sdk import Client, DaemonStatus

COUNTS: Final = ("extensions", "hooks", "programs", "links", "maps", "pins", "owners")


@click.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Show whether all is well with the daemon, and what to do if it is not.

    The exit code is 0 if there is no trouble, and 1 if there is any, or no daemon.  What is said
    to happen lately was counted within the last two minutes.
    """
    output: Output = context.obj

    async def work(client: "Client") -> None:
        seen = await client.status()
        output.emit(_json(seen), lambda: _print(seen))
        if seen.troubles:
            context.exit(1)

    output.run(work)


def _json(seen: "DaemonStatus") -> dict[str, Json]:
    return {
        "version": seen.version,
        "pid": seen.process_id,
        "uptime_s": round(seen.uptime_ns / NS_A_SECOND, 3),
        "started_ns": seen.started_ns,
        "addresses": list(seen.addresses),
        "certificate_expires_ns": seen.certificate_expires_ns,
        "state": seen.state or None,
        "state_free_bytes": seen.state_free_bytes,
        **{name: getattr(seen, name) for name in COUNTS},
        "troubles": [asdict(each) for each in seen.troubles],
    }


def _print(seen: "DaemonStatus") -> None:
    print_record(_text(seen))
    echo()
    if not seen.troubles:
        echo("all is well")
    for each in seen.troubles:
        echo(f"TROUBLE {each.told}\n    do: {each.advice}")


def _text(seen: "DaemonStatus") -> dict[str, Json]:
    up = timedelta(seconds=seen.uptime_ns // NS_A_SECOND)
    state: str = seen.state or "none: nothing outlives the daemon"
    if seen.state and seen.state_free_bytes is not None:
        state += f", {bytes_text(seen.state_free_bytes)} free"
    shown: dict[str, Json] = {
        "daemon": f"ebpfd {seen.version}, pid {seen.process_id}, up {up}",
        "listens": list(seen.addresses),
    }
    if seen.certificate_expires_ns is not None:
        moment = datetime.fromtimestamp(seen.certificate_expires_ns / NS_A_SECOND, UTC)
        shown["certificate"] = f"good until {moment:%Y-%m-%d %H:%M} UTC"
    shown["state"] = state
    shown["has"] = ", ".join(_counted(getattr(seen, name), name) for name in COUNTS)
    return shown


def _counted(count: int, things: str) -> str:
    return f"{count} {things if count != 1 else things.removesuffix('s')}"
