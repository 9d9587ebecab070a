"""A program on the command line: its id, its name, or a file that has it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from ebpfd.cli.parameters import existing_file

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Program


class ProgramArgument(click.ParamType[str]):
    """``ID``, ``NAME`` or ``FILE:NAME``; of the last the file must be there."""

    name = "ID|NAME|FILE:NAME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """What was given, or a usage error."""
        file, colon, _ = str(value).rpartition(":")
        if colon:
            existing_file().convert(file, param, ctx)
        return str(value)


@asynccontextmanager
async def chosen(client: "Client", given: str) -> "AsyncGenerator[Program]":
    """The program that *given* means; one that is loaded for that goes again if the block fails."""
    file, colon, name = given.rpartition(":")
    if not colon:
        yield await _loaded(client, given)
        return
    loaded = (await client.load(file, programs=[name]))[name]
    try:
        yield loaded
    except BaseException:
        await loaded.unload()
        raise


async def _loaded(client: "Client", given: str) -> "Program":
    from ebpfd_sdk import EbpfdError, Result  # noqa: PLC0415 (late, as in Output.run)

    if given.isdecimal():
        return await client.program(int(given))
    found = [each for each in await client.programs() if each.name == given]
    if not found:
        message = f'no program "{given}" is loaded: `ebpfctl program list` shows those there are'
        raise EbpfdError(Result.OBJECT_NOT_FOUND, message)
    if len(found) > 1:
        ids = ", ".join(str(each.id) for each in found)
        message = f'{len(found)} programs are called "{given}": give the id of one ({ids})'
        raise EbpfdError(Result.INVALID_ARGUMENT, message)
    return found[0]
