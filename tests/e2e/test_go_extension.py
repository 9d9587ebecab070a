"""An extension in Go, on nothing but the generated stubs, does what every extension must."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import Client, Result
from ebpfd_sdk.check import Options, Verdict, check_extension
from ebpfd_sdk.testing import attached, constant_program, daemon, extension

SOURCES: Final = Path(__file__).with_name("go_extension")
PROTO: Final = Path(__file__).parents[2] / "proto"
SCHEMAS: Final = sorted(each.relative_to(PROTO).as_posix() for each in PROTO.rglob("*.proto"))
PLUGINS: Final = {
    "protoc-gen-go": "google.golang.org/protobuf/cmd/protoc-gen-go",
    "protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
}
PACKAGE: Final = "gate/ebpfd"


def go(folder: Path, *arguments: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
    """Run go in *folder*, with the toolchain that is here."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    return subprocess.run(
        ("go", *arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def built(folder: Path, *arguments: str) -> None:
    """Run ``go build``, which must succeed."""
    ran = go(folder, "build", *arguments)
    assert ran.returncode == 0, ran.stderr


def generate(folder: Path) -> None:
    """Write the stubs of the wire API; its files name no package of Go's, so this does."""
    named = [f"M{name}={PACKAGE}" for name in SCHEMAS]
    options = ",".join(("module=gate", *named))
    plugins = [f"--plugin={name}={folder / name}" for name in PLUGINS]
    outputs = [f"--{kind}_out={options}:{folder}" for kind in ("go", "go-grpc")]
    protoc = (sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *plugins, *outputs)
    subprocess.run((*protoc, *SCHEMAS), check=True)


def download(folder: Path) -> None:
    """Fetch the modules, or skip the test: they come from elsewhere."""
    try:
        ran = go(folder, "mod", "download", timeout_s=120)
    except subprocess.TimeoutExpired:
        pytest.skip("its modules cannot be had in 120 s")
    if ran.returncode != 0:
        pytest.skip(f"its modules cannot be had: {ran.stderr.strip().splitlines()[-1]}")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The extension, built; skipped where it cannot be."""
    if shutil.which("go") is None:
        pytest.skip("no go is here")
    folder = tmp_path_factory.mktemp("gate") / "gate"
    shutil.copytree(SOURCES, folder)
    download(folder)
    for name, package in PLUGINS.items():
        built(folder, "-o", name, package)
    generate(folder)
    vetted = go(folder, "vet", ".")
    assert vetted.returncode == 0, vetted.stderr
    built(folder, "-o", "extension", ".")
    return str(folder / "extension")


async def test_it_passes_the_conformance_run(gate: str) -> None:
    """Every check, none left out: also the daemon's restart, which it outlives."""
    report = await check_extension(
        Options((gate,), parameters=(b"", b"\x01", b"\x02\x03"), data=b"visitor")
    )
    assert report.conforms, str(report)
    skipped = {each.check for each in report.outcomes if each.verdict is Verdict.SKIP}
    # It has no maps, and takes any parameter.
    assert skipped == {"keeps-maps", "refuses-bad-parameters"}, str(report)


async def test_its_events_reach_the_program_of_their_parameter(gate: str) -> None:
    """Two parameters, two programs, and one for whom nothing is attached."""
    async with (
        daemon() as ebpfd,
        Client(ebpfd.address) as client,
        extension(ebpfd, (gate,)),
        attached(client, constant_program("gate", 1, name="one"), "gates", parameter=b"\x01"),
        attached(client, constant_program("gate", 2, name="two"), "gates", parameter=b"\x02"),
    ):
        for parameter, result in ((b"\x01", 1), (b"\x02", 2), (None, 1)):
            answer = await client.fire("gates", parameter=parameter)
            assert (answer.code, answer.result) == (Result.SUCCESS, result)
        nobody = await client.fire("gates", parameter=b"\x03")
        assert nobody.code is Result.KEY_NOT_FOUND


def test_its_sources_are_formatted() -> None:
    """As gofmt has it."""
    if shutil.which("gofmt") is None:
        pytest.skip("no gofmt is here")
    ran = subprocess.run(("gofmt", "-l", str(SOURCES)), capture_output=True, text=True, check=True)
    assert ran.stdout == ""
