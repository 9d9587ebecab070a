"""``ebpfd-sdk init`` writes an extension that works as it is."""

import asyncio
import json
import os
import shlex
import shutil
import sys
import tomllib
from asyncio.subprocess import PIPE, STDOUT
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ebpfd_sdk.init.command import main
from ebpfd_sdk.testing import ExtensionProcess
from tests.e2e.world import Ran, world

NAME = "doorman"


def names(folder: Path) -> list[str]:
    """What lies in *folder*."""
    return [each.name for each in folder.iterdir()]


async def init(parent: Path, *arguments: str, **environment: str) -> Ran:
    """Run the command in *parent*."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ebpfd_sdk", "init", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        cwd=parent,
        env={**os.environ, **environment},
    )
    out, err = await child.communicate()
    assert child.returncode is not None
    return Ran(child.returncode, out.decode(), err.decode())


async def assert_its_tests_pass(folder: Path) -> None:
    """Run the tests that were written with it, in a process of their own."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-W", "error"),
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await child.communicate()
    assert (child.returncode, b"2 passed" in out) == (0, True), out.decode()


@pytest.mark.skipif(not shutil.which("clang"), reason="no clang is here to compile the program")
async def test_its_program_names_the_source_that_there_is(tmp_path: Path) -> None:
    """Not one in the folder in which it was compiled, which is gone: refusals show that name."""
    assert (await init(tmp_path, NAME)).code == 0
    compiled = (tmp_path / NAME / f"{NAME}.o").read_bytes()
    assert f"{tmp_path}/{NAME}".encode() in compiled
    assert f".{NAME}-".encode() not in compiled


@pytest.mark.skipif(not shutil.which("clang"), reason="no clang is here to compile the program")
async def test_the_tests_of_a_new_extension_pass(tmp_path: Path) -> None:
    """Its program is compiled, decides about events, and the extension conforms."""
    ran = await init(tmp_path, "-o", "json", NAME)
    assert ran.code == 0, ran.err
    files = ["README.md", "doorman.c", "doorman.h", "doorman.o", "doorman.py", "pyproject.toml"]
    assert ran.json() == {
        "folder": str(tmp_path / NAME),
        "files": [*files, "test_doorman.py"],
        "compiler": "clang",
    }
    assert names(tmp_path) == [NAME], "nothing else is left"
    await assert_its_tests_pass(tmp_path / NAME)


async def test_without_a_compiler_the_object_is_written_by_hand(tmp_path: Path) -> None:
    """It has the same instructions, and the README says how it came about."""
    ran = await init(tmp_path, "-o", "json", NAME, PATH="/nowhere")
    assert ran.code == 0, ran.err
    assert ran.json()["compiler"] is None
    assert "No clang was here" in (tmp_path / NAME / "README.md").read_text()
    await assert_its_tests_pass(tmp_path / NAME)


async def test_its_readme_works_as_it_stands(tmp_path: Path) -> None:
    """Each ``ebpfctl`` line, in its order."""
    assert (await init(tmp_path, NAME)).code == 0
    folder = tmp_path / NAME
    text = (folder / "README.md").read_text()
    indented = [line.strip() for line in text.splitlines() if line.startswith("    ebpfctl ")]
    inline = [f"ebpfctl {each.split('`')[0]}" for each in text.split("`ebpfctl ")[1:]]
    assert (len(indented), len(inline)) == (3, 1)
    async with world(tmp_path) as w:
        script = (sys.executable, str(folder / f"{NAME}.py"))
        child = ExtensionProcess(script, w.address, tmp_path / "extension.log")
        await child.start_registered()
        header = (folder / "doorman.h").read_bytes()
        try:
            for line in (*indented, *inline):
                words = shlex.split(line, comments=True)[1:]
                paths = [str(folder / word) if "doorman." in word else word for word in words]
                ran = await w.ctl(*paths)
                assert ran.code == 0, (line, ran.err)
        finally:
            child.kill()
    assert (folder / "doorman.h").read_bytes() == header, "the same as was written"


def test_the_command_is_the_one_that_is_installed() -> None:
    """``ebpfd-sdk`` leads to where ``python -m ebpfd_sdk`` does."""
    project = tomllib.loads((Path(__file__).parents[2] / "sdk" / "pyproject.toml").read_text())
    named = project["project"]["scripts"]["ebpfd-sdk"]
    assert EntryPoint("ebpfd-sdk", named, "console_scripts").load() is main


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Doorman", "NAME Doorman: use lower-case letters"),
        ("door-man", "NAME door-man: use lower-case letters"),
        ("class", "NAME class: use lower-case letters"),
        ("json", "NAME json: a module of this name is installed"),
        ("taken", "taken exists: choose another NAME, or remove it"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    tmp_path: Path, name: str, said: str
) -> None:
    """One error, which names the argument."""
    (tmp_path / "taken").mkdir()
    ran = await init(tmp_path, name)
    assert (ran.code, said in ran.err) == (1, True), ran.err
    told = json.loads((await init(tmp_path, "-o", "json", name)).err)
    assert said in told["error"]["message"]
    assert names(tmp_path) == ["taken"]
