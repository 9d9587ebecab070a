"""The registrar's README: its diagrams are the tables', and the tests that it names are there."""

import re
import subprocess
import sys
from pathlib import Path

import ebpfd.nmr
from tests.daemon.nmr.diagram import diagrams

ROOT = Path(__file__).parents[3]
README = Path(ebpfd.nmr.__file__).with_name("README.md").read_text("utf-8")


def _behaviours() -> dict[int, list[str]]:
    """The numbered rows, and the tests that each names."""
    rows = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", README, re.MULTILINE)
    return {int(number): re.findall(r"`([^`]+)`", tests) for number, tests in rows}


def test_it_draws_the_tables() -> None:
    """Edge for edge."""
    assert tuple(re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)) == diagrams()


def test_the_rules_name_tests_that_exist() -> None:
    """Each is in this folder."""
    named = set(re.findall(r"`(test_\w+)`", README))
    sources = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert named
    assert named <= set(re.findall(r"def (test_\w+)", sources))


def test_all_twenty_behaviours_have_tests() -> None:
    """None is left out."""
    behaviours = _behaviours()
    assert list(behaviours) == list(range(1, 21))
    assert all(behaviours.values())


def test_the_behaviours_name_tests_that_are_collected() -> None:
    """Pytest finds every one of its own, and those of the engine are tests of Rust."""
    named = [test for tests in _behaviours().values() for test in tests]
    of_rust = [test for test in named if ".rs::" in test]
    for test in of_rust:
        path, name = test.split("::")
        assert f"#[test]\nfn {name}()" in (ROOT / path).read_text("utf-8")
    nodes = [f"tests/{test}" for test in named if test not in of_rust]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(
        [*command, *nodes], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
