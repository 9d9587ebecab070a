"""What becomes of an event that finds something in its way: chosen for each link and failure."""

import asyncio
import dataclasses
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from ebpfd import nmr
from ebpfd.contracts import ExtensionData, ProgramResult
from ebpfd.errors import RequestError
from ebpfd.host.invocation import RefusalError
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.host.policies import Choice, changed
from ebpfd.host.quotas import Quotas
from ebpfd.objects import Link
from ebpfd.objects.chains import Batch
from ebpfd.store import KeptObjects, StateDirectory, StoreError
from ebpfd_api.failure import Failure, Policy
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import HOOK_DATA, SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import fails, is_late, u32s, vanishes
from tests.daemon.host.world import World, refused, soon, until, world

NAMED: Final = dataclasses.replace(SAMPLE, results=(ProgramResult(value=8, name="DROP"),))
CLOSABLE: Final = dataclasses.replace(HOOK_DATA, closed_result=3)
EACH: Final[Policy] = {failure: 10 + place for place, failure in enumerate(Failure)}


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        (0, {Failure.TIMEOUT: 0, Failure.LOST: 9}),
        ("DROP", {Failure.TIMEOUT: 8, Failure.LOST: 9}),
        ("closed", {Failure.TIMEOUT: 3, Failure.LOST: 9}),
        ("open", {Failure.LOST: 9}),
    ],
)
def test_a_choice_is_a_result(choice: Choice, after: Policy) -> None:
    """A number, a name in the contract, the hook's closed one, or none; the others stay."""
    before: Policy = {Failure.TIMEOUT: 1, Failure.LOST: 9}
    assert changed(before, {Failure.TIMEOUT: choice}, NAMED, CLOSABLE) == after
    assert before == {Failure.TIMEOUT: 1, Failure.LOST: 9}


def test_the_contracts_own_names_come_first() -> None:
    """A result that it calls closed is what its programs mean by that."""
    own = dataclasses.replace(SAMPLE, results=(ProgramResult(value=8, name="closed"),))
    assert changed({}, {Failure.ERROR: "closed"}, own, CLOSABLE) == {Failure.ERROR: 8}


def test_a_hook_without_a_closed_result_wants_one_named() -> None:
    """Rather than a guess that lets events through."""
    for contract, instead in ((SAMPLE, "give a number"), (NAMED, "give one of DROP, or a number")):
        with pytest.raises(RequestError, match=instead) as caught:
            changed({}, {Failure.LOST: "closed"}, contract, HOOK_DATA)
        assert caught.value.code is Result.INVALID_ARGUMENT
        assert caught.value.message.startswith("policy.lost: ")


async def test_each_failure_has_its_own_result() -> None:
    """In a batch, each context's; of a batch that does not run, that of all."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        await w.links.set_policy(link.id, EACH)
        answers = iter([is_late, fails, vanishes])

        async def goes_wrong(call: HelperCall) -> HelperOutcome:
            return await next(answers)(call)

        extension.helper = goes_wrong
        done = await soon(w.invoke(link, extension, Batch(count=3)))
        assert done.codes == bytes([Result.TIMEOUT, Result.FAILED, Result.EXTENSION_FAILED_TO_LOAD])
        wanted = (EACH[each] for each in (Failure.TIMEOUT, Failure.ERROR, Failure.NO_PROVIDER))
        assert done.results == u32s(*wanted)
        link.program.provider.rundown.close()
        with pytest.raises(RefusalError) as caught:
            await w.invoke(link, extension, Batch())
        assert caught.value.result == EACH[Failure.NO_PROVIDER]
        target = w.targets.find(nmr.BindingHandle(link.binding), extension)
        target.queued = Quotas().link_batches
        with pytest.raises(RefusalError) as caught:
            target.enqueue()
        assert caught.value.result == EACH[Failure.OVERLOAD]
        target.queued = 0
        link.program.provider.rundown.reopen()


class Attentive(FakeExtension):
    """Hears what its clients say of themselves later."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, Policy]] = []

    def described(self, binding: nmr.BindingHandle, client: nmr.RegistrationInstance) -> None:
        """Note its policy."""
        assert isinstance(client.characteristics, ExtensionData)
        self.heard.append((binding, client.characteristics.policy))

    def offered(self, binding: nmr.BindingHandle) -> None:
        """It runs no programs itself."""


async def test_the_hook_is_told() -> None:
    """At once, and only of what has changed; a hook that comes later is shown it."""
    async with world() as w:
        hook = Attentive()
        await w.provide(hook)
        link = await w.attached("trace.o")
        await w.links.set_policy(link.id, {Failure.LOST: 4})
        await w.links.set_policy(link.id, {Failure.LOST: 4})
        await w.links.set_policy(link.id, {Failure.TIMEOUT: 0})
        binding = link.binding
        assert hook.heard == [
            (binding, {Failure.LOST: 4}),
            (binding, {Failure.LOST: 4, Failure.TIMEOUT: 0}),
        ]


async def test_a_change_while_the_link_binds_again_is_not_missed() -> None:
    """The hook was shown the policy of before: it is told when it has taken the link."""
    async with world() as w:
        first, hook = FakeExtension(), Attentive()
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(first)
        link = await w.attached("trace.o")
        w.registrar.lost(first)
        await until(lambda: not link.binding)
        await w.links.set_policy(link.id, {Failure.ERROR: 1})
        gate = hook.hold("attach")
        providing = asyncio.ensure_future(w.provide_hook(hook))
        assert await soon(hook.reached.get()) == "attach"
        await w.links.set_policy(link.id, {Failure.ERROR: 2})
        assert hook.heard == []
        gate.set()
        await soon(providing)
        assert hook.heard == [(link.binding, {Failure.ERROR: 2})]


async def test_only_an_attached_link_has_a_policy_to_set() -> None:
    """And a choice that is refused changes none of the others."""
    async with world() as w:
        await w.provide(FakeExtension())
        link = await w.attached("trace.o")
        choices: Mapping[Failure, Choice] = {Failure.ERROR: 1, Failure.LOST: "closed"}
        await refused(w.links.set_policy(link.id, choices), Result.INVALID_ARGUMENT)
        assert link.policy == {}
        await w.links.detach(link.id)
        await refused(w.links.set_policy(link.id, {}), Result.STALE_ID)


async def legacy(w: World) -> Link:
    """A link with a policy that the daemon keeps."""
    await w.provide(FakeExtension())
    link = await w.attached("trace.o")
    await w.links.set_policy(link.id, {Failure.ERROR: 1, Failure.LOST: 0})
    return link


async def test_it_is_kept_with_the_link(tmp_path: Path) -> None:
    """As it was set last."""
    state = StateDirectory(tmp_path)
    async with world(state=state) as w:
        link = await legacy(w)
        await w.links.set_policy(link.id, {Failure.ERROR: "open"})
    async with world(state=state) as w:
        assert w.objects.link(link.id).policy == {Failure.LOST: 0}


async def test_what_cannot_be_kept_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in memory, nor on disk, nor at the hook."""

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    state = StateDirectory(tmp_path)
    async with world(state=state) as w:
        link = await legacy(w)
        before = link.policy
        with monkeypatch.context() as patched:
            patched.setattr(KeptObjects, "change", full)
            await refused(w.links.set_policy(link.id, {Failure.LOST: 5}), Result.OUT_OF_SPACE)
        assert link.policy == before
    async with world(state=state) as w:
        assert w.objects.link(link.id).policy == before


async def test_one_result_for_all_failures_was_kept_by_earlier_daemons(tmp_path: Path) -> None:
    """It is what it was."""
    state = StateDirectory(tmp_path)
    async with world(state=state) as w:
        link = await legacy(w)
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        connection.execute(
            "UPDATE objects SET content = "
            "json_set(json_remove(content, '$.policy'), '$.failure_result', 7) WHERE id = ?",
            (link.id,),
        )
    async with world(state=state) as w:
        assert w.objects.link(link.id).policy == dict.fromkeys(Failure, 7)
