"""``ebpfctl hook``."""

from collections import Counter
from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output
from ebpfd.cli.parameters import Hex, HexOrFile

if TYPE_CHECKING:
    from ebpfd_sdk import Client


@click.group()
def hook() -> None:
    """Hooks: fire them by hand."""


@hook.command()
@click.argument("attach_type", metavar="GUID|NAME")
@click.option("--param", type=Hex(), help="The attach parameter; left out: the first link.")
@click.option("--data", type=HexOrFile(), default=b"", help="What data and data_end span.")
@click.option("--context", type=Hex(), default=b"", help="The context; zeros if left out.")
@click.option("--count", type=click.IntRange(1, 65536), default=1, show_default=True)
@click.pass_obj
def fire(
    output: Output, attach_type: str, param: bytes | None, data: bytes, context: bytes, count: int
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


def _print(results: list[int]) -> None:
    if len(results) == 1:
        click.echo(f"result {results[0]}")
        return
    for result, times in Counter(results).most_common():
        click.echo(f"result {result}: {times} times")
