"""What is printed for people.

Names, reasons and what programs print are other people's words: of characters that a terminal
would obey, it gets none.
"""

import click


def echo(text: str = "", *, err: bool = False) -> None:
    """Print *text*, of one line or several, to standard error if *err*."""
    click.echo("\n".join(map(plain, text.split("\n"))), err=err)


def plain(line: str) -> str:
    """*line* without what would move a terminal's cursor, or change its colours."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else " " if each == "\t" else "?" for each in line)
