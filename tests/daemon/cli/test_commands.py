"""Every command of ``ebpfctl`` speaks JSON if it is asked to, in whatever place of the line."""

import json
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from ebpfd.cli.control import main

NOWHERE = ("--address", "nowhere")


def commands(group: click.Group) -> Iterator[click.Command]:
    """All that can be run."""
    for each in group.commands.values():
        if isinstance(each, click.Group):
            yield from commands(each)
        else:
            yield each


def test_each_command_says_once_whom_it_speaks_to() -> None:
    """Also those that are in a group in a group."""
    for each in commands(main):
        assert [option.opts for option in each.params].count(["-o", "--output"]) == 1, each.name


@pytest.mark.parametrize(
    "line",
    [("-o", "json", "map", "list"), ("map", "list", "-o", "json"), ("map", "list", "-ojson")],
)
def test_the_form_may_come_behind_the_command(line: tuple[str, ...]) -> None:
    """The last word counts; here is what goes wrong in that form."""
    ran = CliRunner().invoke(main, [*NOWHERE, *line])
    assert (ran.exit_code, json.loads(ran.stderr)["error"]["name"]) == (1, "RPC_EXCEPTION")


@pytest.mark.parametrize(
    "line",
    [
        ("-o", "json", "map", "list", "--nonsense"),
        ("-o", "json", "nonsense"),
        ("-o", "json", "map", "update", "1", "2"),
        ("map", "show", "-o", "json"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_in_json(line: tuple[str, ...]) -> None:
    """With the exit code of such errors."""
    ran = CliRunner().invoke(main, [*NOWHERE, *line])
    assert (ran.exit_code, json.loads(ran.stderr)["error"]["name"]) == (2, "INVALID_ARGUMENT")


def test_what_is_wrong_with_a_line_is_text_for_people() -> None:
    """As ever."""
    ran = CliRunner().invoke(main, [*NOWHERE, "map", "list", "--nonsense"])
    assert ran.exit_code == 2
    assert "Usage:" in ran.stderr
