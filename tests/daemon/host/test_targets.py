"""Who can be run, as links come and go and change."""

from uuid import UUID

import pytest

from ebpfd.errors import RequestError
from ebpfd.host.invocation import Executor, Target
from ebpfd.host.targets import Targets
from ebpfd.host.trace import TraceLog
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.objects.makers import make_link, make_program

OTHER = UUID(int=2)


async def test_a_link_that_binds_again_before_its_old_binding_is_gone() -> None:
    """Another provider may have other wildcards: each binding is found where it was put."""
    old, new, targets = FakeExtension("old"), FakeExtension("new"), Targets()
    async with Executor(TraceLog()) as executor:
        link = make_link(make_program())
        link.parameter = b"x"
        first = Target(link, old, executor)
        targets.add(1, first)
        link.wildcard = True
        second = Target(link, new, executor)
        targets.add(2, second)
        assert targets.of_event(old, ATTACH_TYPE, b"x") == [first]
        assert targets.of_event(new, ATTACH_TYPE, b"y") == [second]
        await targets.remove(1)
        assert targets.of_event(old, ATTACH_TYPE, b"x") == []
        assert targets.of_event(new, ATTACH_TYPE, b"x") == [second]
        assert [targets.any_of(each, ATTACH_TYPE) for each in (old, new)] == [False, True]
        await targets.remove(2)
        await targets.remove(2)
        assert not targets.any_of(new, ATTACH_TYPE)
        await targets.settled(link)


async def test_a_binding_is_its_providers_own() -> None:
    """Nobody else finds it, nor does anybody once it is gone."""
    mine, thief, targets = FakeExtension("mine"), FakeExtension("thief"), Targets()
    async with Executor(TraceLog()) as executor:
        target = Target(make_link(make_program()), mine, executor)
        targets.add(1, target)
        assert targets.find(1, mine) is target
        assert not targets.any_of(mine, OTHER)
        with pytest.raises(RequestError, match="the binding is gone"):
            targets.find(1, thief)
        await targets.remove(1)
        with pytest.raises(RequestError, match="the binding is gone"):
            targets.find(1, mine)
