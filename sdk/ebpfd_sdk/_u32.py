"""Numbers of a declaration that the wire holds in 32 bits."""

from ebpfd_sdk._errors import DeclarationError


def check_u32(what: str, given: object) -> None:
    """Refuse what is no unsigned number of 32 bits, with the name of the declaration."""
    if not isinstance(given, int) or not 0 <= given < 1 << 32:
        raise DeclarationError(f"{what} {given!r} is no u32")
