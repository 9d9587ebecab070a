"""What a contract's texts may be in a C header.

A contract comes from anybody, and its header is compiled by somebody else: no text of it may become
anything but a name, a string or a comment.
"""

import re
from typing import Final

from ebpfd.contracts.validation import ContractError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DECLARED: Final = re.compile(r"^#define (\w+)|^typedef .*?(\w+);|\(\*const (\w+)\)", re.MULTILINE)
_KEYWORDS: Final = frozenset(
    """
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef typeof union
    unsigned void volatile while asm
    """.split()  # noqa: SIM905 (a column of words would be a page)
)


class Names:
    """The names that a header declares for everything in a file; each stands once.

    *common* is the C of what all headers declare.
    """

    def __init__(self, common: str) -> None:
        self._taken = {
            name for found in _DECLARED.finditer(common) for name in found.groups() if name
        }

    def declare(self, name: str, at: str) -> str:
        """*name*, if it can be declared; the field *at* is where the contract has it from."""
        check_name(name, at)
        if name in self._taken:
            raise ContractError(at, f"{name} is declared twice in a header")
        self._taken.add(name)
        return name


def check_name(name: str, at: str) -> None:
    """Refuse what is no name in C, or one of the language or of the compiler."""
    if not _NAME.fullmatch(name) or name in _KEYWORDS or name.startswith("__"):
        raise ContractError(at, f"{name!r} is no name in C")


def identifier(text: str) -> str:
    """*text* with what C does not allow in a name replaced."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)
    return f"_{plain}" if plain[:1].isdigit() else plain


def prefixed(text: str, name: str) -> str:
    """*name* behind a prefix made of any *text*; two underscores in front would be reserved."""
    return re.sub(r"^_+", "_", f"{identifier(text)}_{name}")


def quoted(text: str) -> str:
    """*text* as a string of C, which is harmless in a comment, too."""
    plain = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{"".join(plain)}"'
