"""The rules that extensions are held against are those that the SDK keeps."""

import pytest

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.ntstatus import NtStatus
from ebpfd_sdk import Link, Refused
from ebpfd_sdk._attachments import Attachments
from ebpfd_sdk.check._attach_rules import attach_rule

WILDCARDS = (b"", bytes(4))


@pytest.mark.parametrize("capability", list(AttachCapability)[1:])
@pytest.mark.parametrize(
    "parameters",
    [[b"\x01"], [b"\x01", b"\x02", b"\x01"], [b"\x01", bytes(4)], [b""], [b"", b"\x01"]],
)
def test_links_one_after_the_other(capability: AttachCapability, parameters: list[bytes]) -> None:
    """Each is answered as the rule says, beside all that came before."""
    attachments = Attachments(capability, WILDCARDS)
    for number, (parameter, due) in enumerate(attach_rule(capability, parameters, WILDCARDS)):
        link = Link(number, parameter, 0, number, 1, "check")
        answered = NtStatus.SUCCESS
        try:
            attachments.check(link)
            attachments.add(link)
        except Refused as refused:
            answered = refused.status
        assert answered == due, (number, parameter)
