"""``ebpfctl trace``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output

if TYPE_CHECKING:
    from ebpfd_sdk import Client, TraceLine


@click.command()
@click.option("--program", type=int, default=0, metavar="ID", help="Only lines of this program.")
@click.option("--no-follow", is_flag=True, help="Print what is there, and end.")
@click.pass_obj
def trace(output: Output, program: int, no_follow: bool) -> None:
    """Print what programs print.  Recent lines of bpf_trace_printk, then new ones."""

    async def work(client: "Client") -> None:
        async for line in client.trace(follow=not no_follow, program_id=program):
            output.emit_line(_fields(line), _text(line))

    output.follow(work)


def _fields(line: "TraceLine") -> dict[str, Json]:
    return {
        "time_ns": line.time_ns,
        "program": line.program_id,
        "name": line.program_name,
        "text": line.text,
        "lost": line.lost,
    }


def _text(line: "TraceLine") -> str:
    moment = datetime.fromtimestamp(line.time_ns / 1e9, UTC).astimezone()
    lost = f"({line.lost} lines lost) " if line.lost else ""
    name = f"{line.program_id} {line.program_name}".rstrip()
    return f"{moment:%H:%M:%S.%f} [{name}] {lost}{line.text.rstrip()}"
