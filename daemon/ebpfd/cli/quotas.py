"""``ebpfctl quota``."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output, print_table
from ebpfd.cli.top import bytes_text

if TYPE_CHECKING:
    from ebpfd_sdk import Client

COLUMNS = ("quota", "used", "limit", "refused", "of")


@click.group()
def quota() -> None:
    """Quotas: how much of the daemon its users may have.

    They are set in the table [quotas] of the daemon's configuration file.
    """


@quota.command("list")
@click.pass_obj
def list_(output: Output) -> None:
    """List the quotas, how much of each is used, and how often more was wanted.

    Of one of many, such as the batches of a link, the fullest counts.
    """

    async def work(client: "Client") -> None:
        quotas = (await client.stats()).quotas
        rows: list[dict[str, Json]] = [
            {
                "quota": each.name,
                "used": each.used,
                "limit": each.limit,
                "refused": each.refused,
                "in_bytes": each.in_bytes,
                "of": each.told,
            }
            for each in quotas
        ]
        shown: list[dict[str, Json]] = [
            {**row, "used": bytes_text(each.used), "limit": bytes_text(each.limit)}
            if each.in_bytes
            else row
            for row, each in zip(rows, quotas, strict=True)
        ]
        output.emit(rows, lambda: print_table(shown, COLUMNS))

    output.run(work)
