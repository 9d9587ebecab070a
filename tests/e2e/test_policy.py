"""What becomes of events that find something in their way: each failure, each policy."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from ebpfd.host.quotas import Quotas
from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import (
    U32,
    Answer,
    AttachedLink,
    Breaker,
    BreakerState,
    Extension,
    Failure,
    Hook,
    Integer,
    LinkPolicy,
    LinkState,
    ProgramType,
    Result,
    _lane,
)
from tests.e2e.world import PROGRAMS, World, world

OPEN, CLOSED, NAMED, FIXED = 1, 2, 3, 0
"""The default result of the type, the closed one of the hook, LATER, and a number."""

CODES: Final = {
    Failure.NO_PROVIDER: Result.EXTENSION_FAILED_TO_LOAD,
    Failure.TIMEOUT: Result.TIMEOUT,
    Failure.ERROR: Result.FAILED,
    Failure.OVERLOAD: Result.NO_MEMORY,
    Failure.LOST: Result.CANCELED,
}


@dataclass
class Scene:
    """A hook in this process, whose program's type is another extension's, and its helper."""

    w: World
    type: Extension
    hook: Hook[SampleContext]
    link: AttachedLink
    called: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    raises: bool = False

    async def outcomes(self) -> dict[str, int]:
        """What the link's events came to, as far as any did."""
        shown = await self.w.ctl_json("link", "show", str(self.link.id))
        return {name: count for name, count in shown["outcomes"].items() if count}

    async def no_provider(self) -> Answer[SampleContext]:
        """The extension with the program's type leaves; the hook's stays."""
        self.type.stop()
        await self.type.__aexit__(None, None, None)
        return await self.hook.invoke()

    async def timeout(self) -> Answer[SampleContext]:
        """The helper takes longer than it may."""
        return await self.hook.invoke()

    async def error(self) -> Answer[SampleContext]:
        """The helper raises."""
        self.raises = True
        return await self.hook.invoke()

    async def overload(self) -> Answer[SampleContext]:
        """The helper does not return, and more waits than may."""
        waiting = [self.hook.invoke_batch(count=1) for _ in range(2 * Quotas().link_batches)]
        last = self.hook.invoke()
        answer = await last
        self.go.set()
        await asyncio.gather(*waiting)
        return answer

    async def lost(self) -> Answer[SampleContext]:
        """The daemon is killed while the helper runs."""
        answer = self.hook.invoke()
        await self.called.wait()
        self.w.daemon.kill()
        return await answer


def declared(scene: list[Scene]) -> tuple[ProgramType[SampleContext], Hook[SampleContext]]:
    """The sample's program type and hook, and results that have names."""
    kind = ProgramType(
        "f788ef4a-207d-4dc3-85cf-0f2ea107213c",
        SampleContext,
        name="sample",
        section="sample_ext",
        results={CLOSED: "DROP", NAMED: "LATER"},
        default_result=OPEN,
    )

    async def helper(ctx: SampleContext, arg: U32) -> Integer:
        del ctx, arg
        (here,) = scene
        here.called.set()
        if here.raises:
            raise ValueError("no")
        await here.go.wait()
        return 77

    kind.helper(0x10004, implicit_context=True)(helper)
    guid = "f788ef4b-207d-4dc3-85cf-0f2ea107213c"
    return kind, Hook(guid, kind, name="sample_ext", closed_result=CLOSED)


@asynccontextmanager
async def attached(w: World) -> AsyncGenerator[Scene]:
    """A link to a program that calls the helper."""
    scenes: list[Scene] = []
    kind, hook = declared(scenes)
    async with AsyncExitStack() as stack:
        owner = Extension(kind, address=w.address, name="type", reconnect=False)
        await owner.__aenter__()
        stack.push_async_exit(owner)
        await stack.enter_async_context(
            Extension(hook, address=w.address, name="hook", reconnect=False)
        )
        (program,) = (await w.client.load(PROGRAMS / "helper_implicit_2.o")).values()
        link = await program.attach("sample_ext")
        scenes.append(Scene(w, owner, hook, link))
        yield scenes[0]


@pytest.mark.parametrize(
    ("choice", "result"),
    [(None, OPEN), ("open", OPEN), ("closed", CLOSED), ("LATER", NAMED), (str(FIXED), FIXED)],
)
@pytest.mark.parametrize("failure", list(Failure))
async def test_every_failure_has_the_result_that_was_chosen_for_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Failure,
    choice: str | None,
    result: int,
) -> None:
    """And no other failure's; it is counted as what it is."""
    monkeypatch.setattr(_lane, "WINDOW", 4 * Quotas().link_batches)
    async with world(tmp_path) as w, attached(w) as scene:
        link = str(scene.link.id)
        if choice is not None:
            every = "--on-failure=99"
            chosen = f"--on-{failure.replace('_', '-')}={choice}"
            shown = await w.ctl_json("link", "set-policy", link, every, chosen)
            word = "open" if choice == "open" else result
            assert shown["policy"] == {**dict.fromkeys(Failure, 99), failure: word}
        event: Any = getattr(scene, failure)
        answer = await event()
        assert (answer.code, answer.result) == (CODES[failure], result)
        if failure is Failure.LOST:
            assert (await scene.hook.invoke()).result == result, "and for what comes later"
            return
        outcomes = await scene.outcomes()
        assert outcomes.pop(failure) >= 1
        # Those that wait for the helper in an overload may find it late.
        others = {"success", "timeout"} if failure is Failure.OVERLOAD else set[str]()
        assert set(outcomes) <= others, outcomes


async def test_a_link_that_fails_again_and_again_is_left_alone(tmp_path: Path) -> None:
    """Its events end at once with the result for that failure, until one is tried and succeeds."""
    async with world(tmp_path) as w, attached(w) as scene:
        link = str(scene.link.id)
        rule = ("--break-after", "2", "--retry-after", "3600")
        shown = await w.ctl_json("link", "set-policy", link, "--on-error", "closed", *rule)
        assert shown["breaker"] == {"break_after": 2, "retry_after": 3600.0, "state": "whole"}
        for _ in range(2):
            answer = await scene.error()
            assert (answer.code, answer.result) == (Result.FAILED, CLOSED)
        scene.called.clear()
        answer = await scene.hook.invoke()
        assert (answer.code, answer.result) == (Result.BLOCKED_BY_POLICY, CLOSED)
        assert "is left alone after 2 failures in a row" in answer.message
        assert not scene.called.is_set()
        columns = await scene.hook.invoke_batch(count=5)
        assert (columns.code, columns.failure_result) == (Result.BLOCKED_BY_POLICY, CLOSED)
        shown = await w.ctl_json("link", "show", link)
        assert shown["breaker"]["state"] == "broken"
        assert await scene.outcomes() == {"error": 2, "broken": 6}
        scene.go.set()
        await scene.link.set_policy(breaker=Breaker(failures=1, retry_s=0.001))
        assert (await scene.error()).code is Result.FAILED
        scene.raises = False
        while (answer := await scene.hook.invoke()).code is Result.BLOCKED_BY_POLICY:
            pass
        assert (answer.code, answer.result) == (Result.SUCCESS, 77)
        (attached_link,) = await w.client.links()
        assert attached_link.breaker == Breaker(1, 0.001, BreakerState.WHOLE)
        refused = await w.ctl("link", "set-policy", link, "--retry-after", "1")
        assert "--retry-after needs --break-after" in refused.err
        shown = await w.ctl_json("link", "set-policy", link, "--break-after", "0")
        assert shown["breaker"] is None


async def test_what_is_chosen_outlives_the_daemon_and_an_extension_that_was_there_first(
    tmp_path: Path,
) -> None:
    """Without a daemon nothing is attached; when it comes, the link and its policy come with it."""
    async with world(tmp_path) as w, attached(w) as scene:
        await scene.link.set_policy({"error": "closed"})
    scenes: list[Scene] = []
    kind, hook = declared(scenes)
    early = Extension(kind, hook, address=w.address, wait=True)
    entering = asyncio.create_task(early.__aenter__())
    await asyncio.sleep(0)
    answer = await hook.invoke()
    assert (answer.code, answer.result) == (Result.CANCELED, OPEN)
    async with world(tmp_path) as w:
        await entering
        try:
            await hook.attached()
            (link,) = await w.client.links()
            assert (link.id, link.policy) == (scene.link.id, LinkPolicy(error=CLOSED))
            assert link.state is LinkState.ATTACHED
            scenes.append(Scene(w, early, hook, link, raises=True))
            answer = await hook.invoke()
            assert (answer.code, answer.result) == (Result.FAILED, CLOSED)
        finally:
            await early.__aexit__(None, None, None)


async def test_commands_choose_when_they_attach_too(tmp_path: Path) -> None:
    """One for all, one for each; what makes no sense is refused and changes nothing."""
    async with world(tmp_path) as w, attached(w) as scene:
        program = str(scene.link.program_id)
        (link,) = await w.ctl_json(
            *("link", "attach", program, "--attach-type", "sample_ext", "--param", "01"),
            *("--on-failure", "LATER", "--on-lost", "open"),
        )
        assert link["policy"] == {**dict.fromkeys(list(map(str, Failure)), NAMED), "lost": "open"}
        hook = await w.ctl_json("hook", "show", "sample_ext")
        assert hook["closed_result"] == CLOSED
        number = str(link["id"])
        refused = await w.ctl("-o", "json", "link", "set-policy", number, "--on-error", "NEVER")
        assert (
            'policy.error: "sample" has no result "NEVER" (there are '
            in (refused.error()["message"])
        )
        nothing = await w.ctl("link", "set-policy", number)
        assert "nothing is chosen" in nothing.err
        gone = await w.ctl("-o", "json", "link", "set-policy", "4711", "--on-error", "0")
        assert gone.error()["name"] == "KEY_NOT_FOUND"
        shown = await w.ctl_json("link", "show", number)
        assert shown["policy"] == link["policy"]
