"""How many links a hook takes."""

from enum import IntEnum


class AttachCapability(IntEnum):
    """The rules of the hook providers of eBPF for Windows; a link's provider decides by one."""

    UNSPECIFIED = 0
    """The provider's own rule."""

    MULTI_ATTACH_WITH_WILDCARD = 1
    """Any number of parameters, and at most 16 links for each."""

    SINGLE_ATTACH = 2
    """One link."""

    SINGLE_ATTACH_PER_HOOK = 3
    """One link for each parameter; one for every parameter only if it comes first."""

    ONE_PER_PARAMETER = 4
    """One link for each parameter, as the sample extension has it."""
