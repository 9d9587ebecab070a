"""Flags that a program is loaded with, and what hooks are shown of them (facts 5.9, 5.3)."""

from pathlib import Path
from typing import Final

import pytest

from ebpfd.contracts import ExtensionData
from ebpfd.objects import Program
from ebpfd.store import StateDirectory
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_links import Curious
from tests.daemon.host.world import World, object_file, world

FLAGS: Final = 0xCCCCCCCC
OTHER: Final = 1 << 63


async def loaded(w: World, flags: int = FLAGS) -> Program:
    """A program with flags."""
    (program,) = await w.programs.load(object_file("count.o"), "count.o", [], flags=flags)
    return program


async def curious(w: World) -> Curious:
    """The program type, and a hook that remembers what it was shown."""
    hook = Curious()
    await w.provide(FakeExtension(), hook=False)
    await w.provide_hook(hook)
    return hook


def shown(hook: Curious) -> list[int]:
    """The flags that a hook was shown, link by link."""
    return [
        data.prog_attach_flags
        for call in hook.calls
        if isinstance(data := call.client_instance.characteristics, ExtensionData)
    ]


async def test_program_flag_test() -> None:
    """A hook is shown the flags of the program that attaches; without any it is 0."""
    async with world() as w:
        hook = await curious(w)
        for program in (await loaded(w), await w.load("count.o"), await loaded(w, OTHER)):
            await w.links.attach(program.id, ATTACH_TYPE, bytes([program.id]))
        assert shown(hook) == [FLAGS, 0, OTHER]


@pytest.mark.parametrize("own", [0, 1, OTHER])
async def test_a_links_own_flags_win(own: int) -> None:
    """Also those that are none; the program's are what they were."""
    async with world() as w:
        hook = await curious(w)
        program = await loaded(w)
        link = await w.links.attach(program.id, ATTACH_TYPE, b"", own)
        assert shown(hook) == [own]
        assert (link.prog_attach_flags, program.source.flags) == (own, FLAGS)


@pytest.mark.parametrize(("own", "then"), [(None, OTHER), (3, 3)])
async def test_a_hook_that_returns_sees_the_program_that_a_link_has_now(
    own: int | None, then: int
) -> None:
    """Its flags as its name, after a replacement; the link's own stay."""
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        hook = Curious()
        handle = await w.provide_hook(hook)
        link = await w.links.attach((await loaded(w)).id, ATTACH_TYPE, b"", own)
        for replace in (False, True):
            await w.registrar.withdraw(handle)
            if replace:
                await w.links.replace(link.id, (await loaded(w, OTHER)).id)
            handle = await w.provide_hook(hook)
        first = FLAGS if own is None else own
        assert shown(hook) == [first, first, then]
        assert link.prog_attach_flags == then


async def test_a_program_that_is_reloaded_keeps_its_flags() -> None:
    """Nothing changes them after the load."""
    async with world() as w:
        hook = await curious(w)
        new = await w.programs.reload((await loaded(w)).id)
        assert new.source.flags == FLAGS
        await w.links.attach(new.id, ATTACH_TYPE, b"")
        assert shown(hook) == [FLAGS]


@pytest.mark.parametrize(("own", "then"), [(None, FLAGS), (0, 0), (5, 5)])
async def test_flags_survive_a_restart(tmp_path: Path, own: int | None, then: int) -> None:
    """The program's, and those of the link that waits for its hook."""
    state = StateDirectory(tmp_path)
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        program = await loaded(w)
        link = await w.links.attach(program.id, ATTACH_TYPE, b"", own)
    async with world(state=state) as w:
        hook = await curious(w)
        assert w.objects.program(program.id).source.flags == FLAGS
        assert (shown(hook), w.objects.link(link.id).flags) == ([then], own)
