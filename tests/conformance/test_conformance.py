"""The engine computes what the instruction set says, vector by vector.

Vectors of our own always run.  ``EBPFD_CONFORMANCE`` may name a folder with
more of them in the same format, such as the tests of ``bpf_conformance``.
"""

import os
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from tests.conformance.assembler import assemble
from tests.conformance.execution import Executor, Failure, execute
from tests.conformance.vectors import Vector, read_vector

VARIABLE: Final = "EBPFD_CONFORMANCE"

# Vectors of the folder whose result we do not give: the words of our refusal, and the reason
# for it in a comment.  At most five.
EXCEPTIONS: Final = MappingProxyType(
    {
        # An indirect call: no conformance group of RFC 9669 has it, and the verifier could not
        # tell who is called.
        "callx": "a call through a register (callx) is not supported",
    }
)


# Vectors that leave their memory on purpose: no verifier lets them through, and only the
# interpreter would notice.
UNVERIFIABLE: Final = frozenset({"fault_beyond_the_memory"})

EXECUTORS: Final[tuple[Executor, ...]] = ("interpreter", "jit")


def _vectors(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.data"))
    if not files:
        raise pytest.UsageError(f"{folder} has no vectors (*.data)")
    return files


OWN: Final = _vectors(Path(__file__).parent / "own")
FOLDER: Final = _vectors(Path(os.environ[VARIABLE])) if os.environ.get(VARIABLE) else []


def _name(path: Path) -> str:
    return path.stem


def _outcome(vector: Vector, executor: Executor) -> str:
    """Run *vector*; its r0 in hexadecimal, or how it failed."""
    outcome = execute(vector, executor)
    return f"failure: {outcome.message}" if isinstance(outcome, Failure) else f"{outcome:#x}"


def _check(vector: Vector, executor: Executor) -> None:
    """The program must assemble to its raw slots and give its result, or fail as it says."""
    if vector.raw is not None:
        assert vector.raw == assemble(vector.assembly, first_line=vector.assembly_line).code
    outcome = _outcome(vector, executor)
    if vector.result is not None:
        assert f"{vector.result:#x}" == outcome
    else:
        assert outcome.startswith("failure: ")


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("path", OWN, ids=_name)
def test_our_own_vectors_hold(path: Path, executor: Executor) -> None:
    """Every vector of ours gives its result, or fails for the reason that it names."""
    vector = read_vector(path)
    if executor == "jit" and vector.name in UNVERIFIABLE:
        pytest.skip("leaves its memory: never compiled")
    _check(vector, executor)
    if vector.error is not None:
        assert vector.error, "our own vectors say why they must fail"
        assert vector.error in _outcome(vector, executor)


@pytest.mark.skipif(not FOLDER, reason=f"{VARIABLE} names no folder with vectors")
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("path", FOLDER, ids=_name)
def test_the_vectors_of_the_folder_hold(path: Path, executor: Executor) -> None:
    """Every vector of the folder holds; the named exceptions are refused in clear words."""
    vector = read_vector(path)
    if vector.name in EXCEPTIONS:
        assert EXCEPTIONS[vector.name] in _outcome(vector, executor)
    else:
        _check(vector, executor)


def test_exceptions_are_few() -> None:
    """An engine that needs more than five exceptions does not conform."""
    assert len(EXCEPTIONS) <= 5


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_long_jump_reaches_beyond_16_bits(executor: Executor) -> None:
    """Gotol (ja32) leads over more slots than the offset of a jump could count."""
    body = "mov %r0, 1\nja32 end\n" + "mov %r0, 2\n" * 40_000 + "end:\nexit\n"
    vector = Vector("gotol", body, 1, memory=b"", result=1, error=None, raw=None)
    assert execute(vector, executor) == 1
