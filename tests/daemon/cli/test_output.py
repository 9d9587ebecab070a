"""Values as people read them."""

import pytest

from ebpfd.cli.output import Json, cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (0, "0"),
        (True, "yes"),
        ([1, "x"], "1, x"),
        ({"TIMEOUT": 2, "FAILED": 0}, "TIMEOUT=2, FAILED=0"),
    ],
)
def test_a_cell(value: Json, text: str) -> None:
    """What is empty is a dash; what is nought is not."""
    assert cell(value) == text
