"""All commands of ``ebpfctl`` take ``-o json``, and say in JSON what was wrong with their line."""

import json
from dataclasses import replace
from typing import Any

import click

from ebpfd.cli.output import Output, error_json
from ebpfd_api.result import Result


class Commands(click.Group):
    """The group of all commands: what comes behind them may say ``-o json``, too."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, or a group whose commands there are already."""
        _let_choose(cmd)
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run what the line says, or say in the form that it asks for what is wrong with it."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            output = (error.ctx or ctx).obj
            json_wanted = (
                output.json if isinstance(output, Output) else ctx.params["output"] == "json"
            )
            if not json_wanted:
                raise
            body = error_json(Result.INVALID_ARGUMENT, error.format_message())
            click.echo(json.dumps({"error": body}), err=True)
            ctx.exit(error.exit_code)


def _let_choose(command: click.Command) -> None:
    """Give *command*, or all that are in it, an option of its own."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _let_choose(each)
        return
    option = click.Option(
        ["-o", "--output", "form"],
        type=click.Choice(["text", "json"]),
        help="For people, or for programs.",
        expose_value=False,
        is_eager=True,  # then what is wrong with another option is said in this form
        callback=_choose,
    )
    command.params = [*command.params, option]  # a copy of a command shares the list


def _choose(context: click.Context, option: click.Parameter, value: str | None) -> None:
    del option
    if value is not None and isinstance(context.obj, Output):
        context.obj = replace(context.obj, json=value == "json")
