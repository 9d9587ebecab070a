"""Everything that ``vm.py`` measures, compiled: programs, their native twins, and the bench crate.

Programs are compiled on each run: the native forms must be of this machine and of the same
compiler as the BPF ones.  ``clang`` is needed for this bench only.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
SOURCES: Final = HERE / "programs" / "vm"
CRATE: Final = HERE / "vm_crate"

_CLANGS: Final = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
_SCALAR: Final = ("-fno-vectorize", "-fno-slp-vectorize", "-fno-unroll-loops", "-fno-builtin")
BPF: Final = ("-target", "bpf", "-mcpu=v3", "-O2", "-g")
_NATIVE: Final = ("-O2", "-fPIC", "-fvisibility=hidden")


class CannotBuildError(Exception):
    """A tool is missing, or it refused its input."""


def run(*command: str | Path) -> None:
    """Run a tool; its complaints are the error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuildError(f"{' '.join(map(str, command))}\n{done.stderr}")


def clang() -> str:
    """The C compiler."""
    for name in _CLANGS:
        if found := shutil.which(name):
            return found
    raise CannotBuildError(
        "no clang found: this bench compiles its programs for BPF and for this machine; "
        "install clang 14 or later (Debian: apt install clang)"
    )


def cargo() -> str:
    """What builds the bench crate."""
    found = shutil.which("cargo") or str(Path.home() / ".cargo" / "bin" / "cargo")
    if not Path(found).exists():
        raise CannotBuildError("no cargo found: this bench needs Rust 1.95 or later")
    return found


def programs(folder: Path) -> None:
    """Fill *folder* with what the bench crate reads."""
    compiler = clang()
    forms: list[tuple[str, Path, tuple[str, ...]]] = []
    for source in sorted(SOURCES.glob("*.c")):
        name = source.stem
        named = f"-DVMB_NAME={{}}_{name}"
        forms += [
            ("sample", source, (*BPF, "-DVMB_SAMPLE")),
            ("plain", source, BPF),
            ("kernel", source, (*BPF, "-DVMB_KERN")),
            ("nat", source, (*_NATIVE, named.format("nat"))),
            ("sca", source, (*_NATIVE, *_SCALAR, named.format("sca"))),
        ]
    for form in ("sample", "plain", "kernel", "nat", "sca"):
        (folder / form).mkdir()

    def compiled(job: tuple[str, Path, tuple[str, ...]]) -> None:
        form, source, flags = job
        run(compiler, *flags, "-c", source, "-o", folder / form / f"{source.stem}.o")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compiled, forms))
    natives = [*(folder / "nat").glob("*.o"), *(folder / "sca").glob("*.o")]
    maps = SOURCES / "native" / "maps.c"
    # Calls of the maps stay calls, but without a detour through a table of symbols.
    shared = ("-shared", "-Wl,-Bsymbolic", "-o", folder / "natives.so")
    run(compiler, *_NATIVE, maps, *natives, *shared)
    (folder / "packet.bin").write_bytes(packet())
    shutil.copy(HERE / "programs" / "verdict.o", folder)


def crate() -> Path:
    """The bench crate's binary."""
    sys.stderr.write("building the bench crate (minutes at the first time)\n")
    manifest = CRATE / "Cargo.toml"
    run(cargo(), "build", "--quiet", "--release", "--locked", "--manifest-path", manifest)
    target = Path(os.environ.get("CARGO_TARGET_DIR", CRATE / "target"))
    return target / "release" / "vm-bench"


def packet() -> bytes:
    """An Ethernet, IPv4 and UDP frame of 1,500 bytes, the same in every run."""
    rnd = random.Random(20261122)
    frame = bytearray(rnd.randrange(1, 256) for _ in range(1500))
    frame[12:14] = b"\x08\x00"
    addresses = (0x0A010203, 0xC0A80717)
    header = bytearray(struct.pack(">BBHHHBBHII", 0x45, 0, 1486, 0x1234, 0, 64, 17, 0, *addresses))
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into(">H", header, 10, 0xFFFF & ~((total & 0xFFFF) + (total >> 16)))
    frame[14:34] = header
    frame[34:42] = struct.pack(">HHHH", 0x8235, 4789, 0x05BA, 0x1111)
    # Two strings that are equal for 600 bytes: what strcmp_600 compares.
    frame[732:1332] = frame[32:632]
    frame[1332] = frame[632] % 255 + 1
    return bytes(frame)
