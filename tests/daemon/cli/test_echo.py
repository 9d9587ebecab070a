"""What commands print for people, of words that are not theirs."""

import pytest

from ebpfd.cli.output import Output, print_record, print_table

COLOUR, TITLE, C1, OVERRIDE = "\x1b[31m", "\x1b]0;mine\x07", "\x9b2J", "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.mark.parametrize("said", [COLOUR, TITLE, C1, OVERRIDE, "a\rb", "a\bb", "\x7f"])
def test_a_terminal_is_told_nothing_by_others(
    said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in a table nor in a record nor in a line of a stream."""
    print_table([{"name": said}], ("name",))
    print_record({"reason": said})
    Output(None, json=False).emit_line(said, said)
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))


def test_what_is_printable_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Of any script; a tab is a space, and lines stay lines."""
    Output(None, json=False).emit_line("", "zähler\t計\nzwei")
    assert capsys.readouterr().out == "zähler 計\nzwei\n"
