"""Hooks that an extension declares and the daemon provides."""

from pathlib import Path

import pytest

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_sdk import DeclarationError, Extension, Hook, Link, ProgramType, Result
from tests.sdk.fake_daemon import FakeDaemon
from tests.sdk.parcels import ATTACH_TYPE, PROGRAM_TYPE, Parcel


def declared() -> tuple[ProgramType[Parcel], Hook[Parcel]]:
    """A program type, and a hook of the daemon's."""
    kind = ProgramType(PROGRAM_TYPE, Parcel, name="parcel")
    capability = AttachCapability.SINGLE_ATTACH
    return kind, Hook(
        ATTACH_TYPE, kind, name="gate", capability=capability, closed_result=3, hosted=True
    )


async def test_a_hosted_hook_is_created_and_not_registered(daemon: FakeDaemon) -> None:
    """After its program type; an invocation here reaches nobody, and says where to go."""
    kind, hook = declared()
    async with Extension(kind, hook, address=daemon.address):
        (registered,) = daemon.registered.values()
        assert registered.module_id.guid == kind.guid.bytes
        assert daemon.hello.registrations == 1
        asked = daemon.links.asked[-1]
        assert (asked.attach_type, asked.name) == (hook.guid.bytes, "gate")
        assert asked.program_type.guid == kind.guid.bytes
        assert asked.capability == AttachCapability.SINGLE_ATTACH
        assert list(asked.wildcards.parameters) == [b""]
        assert asked.closed_result == 3
        answer = await hook.invoke()
        assert answer.code is Result.CANCELED
        assert answer.message == "hook gate: the daemon hosts it: fire it with a Client"


async def test_functions_that_nobody_would_call_are_refused(daemon: FakeDaemon) -> None:
    """Where the extension begins."""
    kind, hook = declared()

    @hook.on_attach
    def never(link: Link) -> None:
        raise AssertionError(link)

    with pytest.raises(DeclarationError, match="hook gate: the daemon hosts it, and would not"):
        async with Extension(kind, hook, address=daemon.address):
            pass


def test_an_extension_of_hosted_hooks_alone_is_none(tmp_path: Path) -> None:
    """It would have nothing to do."""
    with pytest.raises(DeclarationError, match="gate: the daemon hosts all that it declares"):
        Extension(declared()[1], address=str(tmp_path))
