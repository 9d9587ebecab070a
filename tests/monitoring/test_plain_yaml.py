"""The reader of plain YAML: what it takes means the same to every other one."""

import pytest

from tests.monitoring.plain_yaml import read_yaml


def test_what_it_reads() -> None:
    """Each kind of value, comments and empty lines between."""
    text = """
# about
groups:
  - name: first of all
    rules:
      # more
      - alert: One

        expr: |
          sum(a)
            / b
        labels:
          severity: info
        told: >-
          two
          lines

      - alert: "{{ Two }}"
"""
    one = {"alert": "One", "expr": "sum(a)\n  / b\n"}
    more = {"labels": {"severity": "info"}, "told": "two lines"}
    rules = [one | more, {"alert": "{{ Two }}"}]
    assert read_yaml(text) == {"groups": [{"name": "first of all", "rules": rules}]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a:",
        "a: {b}",
        "a: [b]",
        "a: 'b'",
        "a: *b",
        "a: b: c",
        "a: b # c",
        'a: "b" c',
        "a: b\na: c",
        "a: b\n  c",
        "a:\n b: c",
        "a:\n  b: c\n d: e",
        "a:\n\tb: c",
        "a: |\nb: c",
        "a: >-\n  b\n    c",
        "- b",
        "a: >\n  b",
    ],
)
def test_what_it_does_not_take(text: str) -> None:
    """Other YAML, and what is none."""
    with pytest.raises(ValueError):
        read_yaml(text)
