"""What the README of the SDK shows works as it stands there."""

import asyncio
import re
import shutil
import struct
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from ebpfd_sdk import Client, EbpfdError
from ebpfd_sdk.testing import daemon, extension, object_file

HERE = Path(__file__).parent
README = (Path(__file__).parents[2] / "sdk" / "README.md").read_text()


def block(name: str) -> str:
    """The code block that the README marks with *name*."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block {name}"
    return found[1]


async def test_the_tests_of_the_example_pass(tmp_path: Path) -> None:
    """The extension and its tests, side by side in a folder: with pytest, and a real daemon."""
    tests = ("test_parcel.py", "test_parcel_alone.py", "test_label.py")
    for name in ("pyproject.toml", "parcel.py", *tests):
        (tmp_path / name).write_text(block(name))
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q"),
        cwd=tmp_path,
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await ran.communicate()
    assert (ran.returncode, b"4 passed" in out) == (0, True), out.decode()


def test_the_helper_of_the_example_is_the_one_that_was_compiled() -> None:
    """The object that is committed has the source that the README shows."""
    assert (HERE / "price.c").read_text() == block("price.c")


async def test_the_helper_of_the_example_is_linked(tmp_path: Path) -> None:
    """A program that calls it waits for nobody, and gets what the twin in Python gives."""
    for name in ("parcel.py", "price.py"):
        (tmp_path / name).write_text(block(name))
    shutil.copy(HERE / "price.o", tmp_path)
    # r2 = 3; call parcel_price; exit
    code = bytes.fromhex("b702000003000000 8500000001000100 9500000000000000")
    priced = object_file("parcel", "priced", code)
    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        command = (sys.executable, str(tmp_path / "price.py"))
        async with extension(ebpfd, command, offers=["parcel", "passing"]):
            (program,) = (await client.load(priced)).values()
            assert not program.blocking
            context = struct.pack("<16xI12x", 7)[: (await client.contract("parcel")).context_size]
            assert (await program.test_run(context=context)).result == 21


async def test_the_map_type_of_the_example_works(tmp_path: Path) -> None:
    """Its maps are made as it says, refuse what it refuses, and tell what is free again."""
    (tmp_path / "ports.py").write_text(block("ports.py"))
    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        command = (sys.executable, str(tmp_path / "ports.py"))
        async with extension(ebpfd, command, offers=["ports"]):
            ports = await client.create_map("ports", 4, 2, 64)
            with pytest.raises(EbpfdError, match="port 0 is no port"):
                await ports.set(1, 0)
            await ports.set(1, 80)
            await ports.remove()
