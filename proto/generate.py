"""Regenerate the Python code beside each ``.proto`` and ``.fbs``; ``--check`` only compares.

Run it from anywhere: ``uv run python proto/generate.py [--check]``.  That of FlatBuffers needs
flatc 2.0.8, which no package of Python has; without it, that code is left as it is.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
FLATC = "flatc version 2.0.8"
PROTOBUF_CODE = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
FLATBUFFERS_CODE = ("fbs/*.py",)


def generate(out: Path) -> None:
    """Write the code of every schema under *out*.

    Paths are relative to ``proto/``, so that protoc's absolute imports
    (``from ebpfd_api.v1 import status_pb2``) are right as they come.
    """
    schemas = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.proto"))
    services = [name for name in schemas if "\nservice " in (ROOT / name).read_text()]
    include = [f"-I{ROOT}", f"-I{files('grpc_tools') / '_proto'}"]
    stubs = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
    for arguments in (
        [f"--python_out={out}", f"--pyi_out={out}", *schemas],
        [
            f"--grpc_python_out={out}",
            f"--plugin=protoc-gen-mypy_grpc={stubs}",
            f"--mypy_grpc_out=quiet:{out}",
            *services,
        ],
    ):
        if protoc.main(["protoc", *include, *arguments]) != 0:
            sys.exit("protoc failed")


def generate_flatbuffers(out: Path) -> None:
    """Write the code of the schemas of FlatBuffers under *out*, by their namespace."""
    schemas = [str(path) for path in sorted(ROOT.rglob("*.fbs"))]
    subprocess.run(["flatc", "--python", "-o", str(out), *schemas], check=True)


def has_flatc() -> bool:
    """Tell whether the flatc is here whose code is committed."""
    if not shutil.which("flatc"):
        return False
    said = subprocess.run(["flatc", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.strip() == FLATC


def contents(root: Path, patterns: tuple[str, ...]) -> dict[str, bytes]:
    """Relative name to bytes of each generated file under *root*."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for pattern in patterns
        for path in root.rglob(pattern)
    }


def main() -> None:
    """Write what changed, or with ``--check`` fail and name it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    flatc = has_flatc()
    patterns = PROTOBUF_CODE + FLATBUFFERS_CODE if flatc else PROTOBUF_CODE
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        if flatc:
            generate_flatbuffers(Path(scratch))
        new, old = contents(Path(scratch), patterns), contents(ROOT, patterns)
    stale = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    if check:
        sys.exit(f"stale generated code: {', '.join(stale)}; run `make proto`" if stale else 0)
    for name in stale:
        if name in new:
            (ROOT / name).write_bytes(new[name])
        else:
            (ROOT / name).unlink()


if __name__ == "__main__":
    main()
