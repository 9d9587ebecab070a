"""Our own vectors execute every instruction that the engine has."""

from tests.conformance import coverage
from tests.conformance.forms import FORMS

# The same instructions under another name: the table knows them by ``swap``.
_OTHER_NAMES = {"bswap16", "bswap32", "bswap64"}


def test_every_instruction_that_the_engine_accepts_is_in_a_vector() -> None:
    """What the engine accepts has a name in the assembler, and occurs in a vector with a result."""
    accepted = coverage.accepted()
    assert set() == {name for name in accepted if name.startswith("opcode")}
    assert set() == accepted - set(coverage.covered())
    assert len(accepted) > 150


def test_every_mnemonic_is_accepted() -> None:
    """The assembler knows no instruction that the engine lacks."""
    kinds = (" register", " immediate")
    accepted = {name.removesuffix(kinds[0]).removesuffix(kinds[1]) for name in coverage.accepted()}
    assert set() == set(FORMS) - accepted - _OTHER_NAMES


def test_the_table_is_current() -> None:
    """The README lists what the vectors execute now."""
    assert coverage.table() == coverage.written()
