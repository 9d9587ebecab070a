"""The assembler of the vectors refuses what it cannot encode, and says where."""

from pathlib import Path

import pytest

from tests.conformance.assembler import AssemblyError, assemble
from tests.conformance.vectors import VectorError, read_vector


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("frob %r0", "unknown mnemonic 'frob'"),
        ("lock swap [%r1], %r0", "unknown mnemonic 'lock'"),
        ("mov %r0", "mov wants other operands: DST, SRC_OR_IMM"),
        ("exit 1", "exit wants other operands: none"),
        ("mov r0, 1", "'r0' is no register"),
        ("mov %r16, 1", "'%r16' is no register"),
        ("mov %r0, one", "'one' is no number"),
        ("mov %r0, 0x100000000", "4294967296 is not between -2147483648 and 4294967295"),
        ("ldxw %r0, %r1", "'%r1' is no place in memory"),
        ("ldxw %r0, [%r1+32768]", "32768 is not between -32768 and 32767"),
        ("ja nowhere", "no label 'nowhere'"),
        ("ja +32768", "32768 is not between -32768 and 32767"),
        ("here:", "label 'here' is already defined"),
    ],
)
def test_errors_name_the_line(source: str, reason: str) -> None:
    """The error counts lines as the file does, and says what is wrong."""
    with pytest.raises(AssemblyError) as caught:
        assemble(f"here:\n# a comment\n{source}", first_line=10)
    assert caught.value.line == 12
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("add32 %r1, -2", "04010000feffffff"),
        ("sdiv %r1, %r2", "3f21010000000000"),
        ("movsx1632 %r3, %r4", "bc43100000000000"),
        ("be32 %r7", "dc07000020000000"),
        ("bswap64 %r7", "d707000040000000"),
        ("jsle32 %r1, 5, -3", "d601fdff05000000"),
        ("ja32 +70000", "0600000070110100"),
        ("call 5", "8500000005000000"),
        ("call %r2", "8d02000000000000"),
        ("call local -1", "85100000ffffffff"),
        ("lddw %r1, 0x1122334455667788", "18010000887766550000000044332211"),
        ("ldxsh %r1, [%r2-4]", "8921fcff00000000"),
        ("stdw [%r10-8], -1", "7a0af8ffffffffff"),
        ("lock fetch xor32 [%r1+4], %r2", "c3210400a1000000"),
        ("lock cmpxchg [%r1], %r2", "db210000f1000000"),
    ],
)
def test_instructions_are_encoded_after_the_rfc(source: str, code: str) -> None:
    """Opcode, registers, offset and immediate lie where RFC 9669 section 3 puts them."""
    assert code == assemble(source).code.hex()


def test_the_first_exit_is_a_label() -> None:
    """A jump to exit leads to the first one, unless the text has a label of that name."""
    assert assemble("ja exit\nexit\nexit").code == assemble("ja +0\nexit\nexit").code
    assert assemble("ja exit\nexit\nexit:\nexit").code == assemble("ja +1\nexit\nexit").code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-- result\n1", "line 1: there is no section asm"),
        ("-- asm\nexit", "line 1: one section of result and error is needed"),
        ("-- asm\n-- result\n1\n-- error\nno", "line 1: one section of result and error"),
        ("-- asm\n-- frob", "line 2: section 'frob' is unknown, or comes twice"),
        ("-- asm\n-- asm", "line 2: section 'asm' is unknown, or comes twice"),
        ("-- asm\n-- result\n1 2", "line 3: the result is one number"),
        ("-- asm\n-- mem\n0g\n-- result\n1", "line 3: mem: "),
        ("-- asm\n-- result\none", "line 3: invalid literal"),
    ],
)
def test_files_that_are_no_vectors_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    """The error names the file and the line."""
    path = tmp_path / "bad.data"
    path.write_text(text)
    with pytest.raises(VectorError) as caught:
        read_vector(path)
    assert f"bad.data, {reason}" in str(caught.value)
