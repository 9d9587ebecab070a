"""What the words of ``--extension`` run, and what that is called."""

import sys
from pathlib import Path

import pytest

from ebpfd.app.extension_words import hosted_extensions


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("python {folder}/parcel.py", "parcel"),
        ("{python} -u parcel.py --shelf 3 other.py", "parcel"),
        ("python -m post.parcel --to x.py", "parcel"),
        ("python -c pass", "python"),
        ("ebpfd_extensions.sample", "sample"),
        ("/bin/cat parcel.py", "cat"),
    ],
)
def test_an_extension_is_called_after_what_is_run(words: str, name: str, tmp_path: Path) -> None:
    """Which is not the interpreter."""
    words = words.format(folder=tmp_path, python=sys.executable)
    (spec,) = hosted_extensions([words], ())
    assert spec.name == name.replace("python", Path(spec.command[0]).stem)


def test_two_of_one_name_are_told_apart() -> None:
    """The second has a number."""
    specs = hosted_extensions(["python parcel.py", "python other/parcel.py"], ())
    assert [each.name for each in specs] == ["parcel", "parcel-2"]
