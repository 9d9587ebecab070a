"""What a hook answers to one link after the other, by the capability that it registered with."""

from collections.abc import Sequence
from typing import Final

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.ntstatus import NtStatus

MOST_FOR_ONE_PARAMETER: Final = 16

OK, DENIED, INVALID = NtStatus.SUCCESS, NtStatus.ACCESS_DENIED, NtStatus.INVALID_PARAMETER


def attach_rule(
    capability: AttachCapability, parameters: Sequence[bytes], wildcards: Sequence[bytes]
) -> list[tuple[bytes, NtStatus]]:
    """Parameters to attach with, none of them detached meanwhile, and what each is answered."""
    first = parameters[0]
    others = [each for each in parameters[1:] if each != first and each not in wildcards]
    match capability:
        case AttachCapability.SINGLE_ATTACH:
            return [(first, OK), (first, DENIED), *((each, DENIED) for each in others)]
        case AttachCapability.SINGLE_ATTACH_PER_HOOK:
            specific = [(each, OK) for each in others] + [(each, DENIED) for each in others]
            return [
                (first, OK),
                (first, DENIED),
                *specific,
                *((each, DENIED) for each in wildcards),
            ]
        case AttachCapability.MULTI_ATTACH_WITH_WILDCARD:
            many = [(first, OK)] * MOST_FOR_ONE_PARAMETER
            return [*many, (first, DENIED), *((each, OK) for each in others)]
        case _:
            specific = [(each, OK) for each in others] + [(each, INVALID) for each in others]
            return [(first, OK), (first, INVALID), *specific]
