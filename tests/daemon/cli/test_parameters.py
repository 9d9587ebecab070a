"""Flags on a command line."""

import click
import pytest

from ebpfd.cli.parameters import Flags


@pytest.mark.parametrize(
    ("text", "flags"),
    [("0", 0), ("6", 6), ("0xCCCCCCCC", 0xCCCCCCCC), ("0xffffffffffffffff", 2**64 - 1)],
)
def test_flags_are_a_number(text: str, flags: int) -> None:
    """Decimal or hexadecimal, of 64 bits."""
    assert Flags().convert(text, None, None) == flags


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "0x10000000000000000"])
def test_other_flags_are_refused(text: str) -> None:
    """In words that say how to write them."""
    with pytest.raises(click.BadParameter, match="is no number of 64 bits: write 6 or 0x6"):
        Flags().convert(text, None, None)
