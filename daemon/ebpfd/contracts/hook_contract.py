"""A hook's contract as JSON, beside that of its program type, and by the same rules.

    {"version": 1, "attach_type": "f788ef4b-…", "supported_program_type": "f788ef4a-…",
     "name": "gate", "capability": "ONE_PER_PARAMETER", "default_result": 2, "hosted": true}

``hosted`` declares that the daemon provides the hook, and no extension does.
"""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from ebpfd.contracts.json_codec import parse_document, read_value, write_document
from ebpfd.contracts.validation import ContractError, validate_hook
from ebpfd.contracts.values import AttachProviderData


@dataclass(frozen=True, slots=True)
class HookContract:
    """A hook by its GUID, and what it promises."""

    attach_type: UUID
    data: AttachProviderData


def encode_hook_contract(contract: HookContract) -> bytes:
    """*contract* as indented text, with a newline at its end."""
    return write_document({"attach_type": contract.attach_type}, contract.data)


def decode_hook_contract(content: bytes) -> HookContract:
    """The hook that *content* describes; ``ContractError`` names what is wrong with it."""
    found = parse_document(content)
    if "attach_type" not in found:
        raise ContractError("attach_type", "is missing: it is the hook's GUID")
    attach_type = cast("UUID", read_value(UUID, found.pop("attach_type"), "attach_type"))
    data = cast("AttachProviderData", read_value(AttachProviderData, found, ""))
    validate_hook(attach_type, data)
    return HookContract(attach_type, data)
