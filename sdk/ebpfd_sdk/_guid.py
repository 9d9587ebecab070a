"""GUIDs as authors write them."""

from uuid import UUID

from ebpfd_sdk._errors import DeclarationError


def guid_of(what: str, guid: str | UUID) -> UUID:
    """*guid* as a value; ``DeclarationError`` names *what* it is of."""
    if isinstance(guid, UUID):
        return guid
    try:
        return UUID(guid)
    except (ValueError, AttributeError):
        raise DeclarationError(
            f"{what}: {guid!r} is no GUID: write 32 hexadecimal digits; uuid.uuid4() makes one"
        ) from None
