"""The files of a new extension."""

import asyncio
import keyword
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final
from uuid import uuid4

from ebpfd_sdk._client import Client
from ebpfd_sdk._contracts import ContractFormat
from ebpfd_sdk.testing import daemon, extension, object_file

TEMPLATES: Final = {
    "extension.py.txt": "{name}.py",
    "program.c.txt": "{name}.c",
    "test.py.txt": "test_{name}.py",
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
}
COMPILERS: Final = ("clang", *(f"clang-{version}" for version in range(21, 13, -1)))
FLAGS: Final = ("-target", "bpf", "-mcpu=v3", "-O2", "-g", "-c")

LIMIT: Final = b"".join(
    struct.pack("<BBhI", *instruction)
    for instruction in (
        (0x61, 0x12, 16, 0),  # r2 = *(u32 *)(r1 + 16)
        (0xB4, 0x00, 0, 1),  # w0 = 1
        (0x25, 0x02, 1, 1000),  # if r2 > 1000 goto +1
        (0xB4, 0x00, 0, 0),  # w0 = 0
        (0x95, 0x00, 0, 0),  # exit
    )
)
"""What the program does, for whoever has no compiler."""


class ProjectError(Exception):
    """The extension cannot be written; the message says why, and what would do."""


@dataclass(frozen=True, slots=True)
class Project:
    """What was written."""

    folder: Path
    files: tuple[str, ...]
    compiler: str
    """That has compiled the program; empty: none was here."""


async def write_project(name: str, parent: Path) -> Project:
    """Write a new extension into a folder *name* below *parent*: all of it, or nothing."""
    folder = parent / name
    _check_name(name, folder)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=parent) as scratch:
        inside = Path(scratch) / name
        compiler = next((each for each in COMPILERS if shutil.which(each)), "")
        await asyncio.to_thread(_write_sources, name, inside, compiler)
        (inside / f"{name}.h").write_bytes(await _header(name, inside))
        await asyncio.to_thread(_write_object, name, inside, compiler, folder)
        inside.rename(folder)
    return Project(folder, tuple(sorted(each.name for each in folder.iterdir())), compiler)


def _check_name(name: str, folder: Path) -> None:
    plain = name.isascii() and name.isidentifier() and name.islower()
    if not plain or keyword.iskeyword(name):
        raise ProjectError(f"NAME {name}: use lower-case letters, digits and _, a letter first")
    if folder.exists():
        raise ProjectError(f"{folder} exists: choose another NAME, or remove it")
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise ProjectError(f"NAME {name}: a module of this name is installed, choose another")


def _write_sources(name: str, folder: Path, compiler: str) -> None:
    words = {
        "name": name,
        "section": name.upper(),
        "program_type": str(uuid4()),
        "attach_type": str(uuid4()),
        "compiled": ""
        if compiler
        else "  No clang was here when it was written: it has the same instructions without debug "
        "information.",
    }
    folder.mkdir()
    for source, target in TEMPLATES.items():
        template = Template((files("ebpfd_sdk.init") / "templates" / source).read_text())
        text = template.substitute(words).rstrip() + "\n"
        (folder / target.format(name=name)).write_text(text)


async def _header(name: str, folder: Path) -> bytes:
    """The header of what the extension declares: it is asked for at a daemon."""
    command = (sys.executable, str(folder / f"{name}.py"))
    async with daemon() as ebpfd, Client(ebpfd.address) as client, extension(ebpfd, command):
        return await client.export_contract(name, ContractFormat.C)


def _write_object(name: str, folder: Path, compiler: str, later: Path) -> None:
    """Compile in *folder*, for debug information that names the one where all will be *later*."""
    target = folder / f"{name}.o"
    if not compiler:
        target.write_bytes(object_file(name, "limit", LIMIT))
        return
    mapped = f"-ffile-prefix-map={folder.resolve()}={later.resolve()}"
    command = (compiler, *FLAGS, mapped, f"{name}.c", "-o", target.name)
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise ProjectError(f"{' '.join(command)} failed: {ran.stderr.strip()}")
