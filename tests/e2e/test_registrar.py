"""The registrar between processes: contracts of others, chained extensions, and who watches."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from ebpfd_sdk import Binding, BindingState, ChangeKind, RegistrarChange, RegistrarSnapshot, Result
from tests.e2e.world import PATIENCE_S, World, sample, world

STORAGE: Final = "11111111-2222-3333-4444-555555555555"
FILES: Final = "66666666-7777-8888-9999-aaaaaaaaaaaa"
MODULE: Final = Path(__file__).with_name("bare_module.py")
MAPS: Final = MODULE.with_name("map_extension.py")
CLIENT, PROVIDER = 1, 2


@dataclass
class Bare:
    """A module process, and what it has said so far."""

    process: Process
    said: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def until(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read what it says until that is *event*."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stdout.readline():
                said: dict[str, Any] = json.loads(line)
                self.said.append(said)
                if said["event"] == event and fields.items() <= said.items():
                    return said
        raise AssertionError(f"it ended before it said {event}: {self.said}")

    async def leave(self) -> None:
        """Deregister in order, and end."""
        self.process.terminate()
        await self.until("deregistered")
        async with asyncio.timeout(PATIENCE_S):
            assert await self.process.wait() == 0


@asynccontextmanager
async def bare(w: World, name: str, *arguments: str) -> AsyncGenerator[Bare]:
    """A module process that has registered; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(MODULE), name, *arguments, w.address, stdout=PIPE
    )
    try:
        module = Bare(process)
        await module.until("registered")
        yield module
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def bound(name: str, role: str, dispatch: list[Any]) -> dict[str, Any]:
    """What a module says that is bound to *name*."""
    return {
        "event": "bound",
        "role": role,
        "content_type": "text/x-own",
        "characteristics": f"{name} says \x00\xff".encode().hex(),
        "luid": 7,
        "context": name,
        "dispatch": dispatch,
    }


async def test_two_processes_meet_over_a_contract_of_their_own(tmp_path: Path) -> None:
    """The daemon knows nothing of it, and hands on what each says, byte for byte."""
    async with (
        world(tmp_path) as w,
        bare(w, "disk", "--provide", STORAGE) as disk,
        bare(w, "app", "--want", STORAGE) as app,
    ):
        assert await disk.until("bound") == bound("app", "provider", [3, "notify"])
        assert app.said[1] == bound("disk", "client", [4, "read", "write"])
        (binding,) = await w.ctl_json("binding", "list")
        assert (binding["contract"], binding["state"]) == (STORAGE, "ready")
        await app.leave()
        for role, module in (("client", app), ("provider", disk)):
            number = CLIENT if role == "client" else PROVIDER
            if module is disk:
                await module.until("cleanup")
            ends = [each for each in module.said if each["event"] in ("detach", "cleanup")]
            assert [each["event"] for each in ends] == ["detach", "cleanup"]
            assert {each["role"] for each in ends} == {number}
        assert await w.ctl_json("binding", "list") == []


async def test_a_chained_extension_comes_and_goes_with_what_is_below_it(tmp_path: Path) -> None:
    """Provider of one contract and client of another: it leaves after who is above it."""
    async with (
        world(tmp_path) as w,
        bare(w, "app", "--want", FILES) as app,
        bare(w, "files", "--provide", FILES, "--want", STORAGE) as files,
    ):
        assert await w.ctl_json("provider", "list") != []
        assert await w.ctl_json("binding", "list") == []
        for kill in (False, True):
            async with bare(w, "disk", "--provide", STORAGE) as disk:
                await files.until("bound", role="client")
                await app.until("bound")
                assert app.said[-1]["context"] == "files"
                await files.until("bound", role="provider")
                if kill:
                    disk.process.kill()
                else:
                    await disk.leave()
                await files.until("cleanup", role=CLIENT)
                since = [each["event"] for each in files.said[files.said.index(_first(files)) :]]
                # Its own detach is pending until the one above has been detached and cleaned up.
                assert since == ["detach", "detach", "cleanup", "completed", "cleanup"]
                assert app.said[-1]["event"] == "bound"
                await app.until("cleanup")
                files.said.clear()
            assert await w.ctl_json("binding", "list") == []
        await files.leave()
        await app.leave()


def _first(module: Bare) -> dict[str, Any]:
    return next(each for each in module.said if each["event"] == "detach")


async def test_the_middle_of_a_chain_is_killed(tmp_path: Path) -> None:
    """Above it and below it both ends are freed, and meet the next one in its place."""
    async with (
        world(tmp_path) as w,
        bare(w, "disk", "--provide", STORAGE) as disk,
        bare(w, "app", "--want", FILES) as app,
    ):
        for _ in range(2):
            async with bare(w, "files", "--provide", FILES, "--want", STORAGE) as files:
                for each in (disk, app):
                    assert (await each.until("bound"))["context"] == "files"
                files.process.kill()
                for each in (disk, app):
                    await each.until("detach")
                    await each.until("cleanup")
        assert await w.ctl_json("binding", "list") == []
        await app.leave()
        await disk.leave()


async def test_all_ends_leave_at_once(tmp_path: Path) -> None:
    """Whoever is first: each hears that it has left, and each binding ends once on each side."""
    async with world(tmp_path) as w:
        for _ in range(2):
            async with AsyncExitStack() as stack:
                modules = [
                    await stack.enter_async_context(bare(w, f"{what} {number}", option, STORAGE))
                    for number in range(2)
                    for what, option in (("disk", "--provide"), ("app", "--want"))
                ]
                assert len(await w.client.bindings()) == 4
                await asyncio.gather(*(each.leave() for each in modules))
                for module in modules:
                    ends = [each["event"] for each in module.said]
                    assert (ends.count("detach"), ends.count("cleanup")) == (2, 2)
            assert await w.client.bindings() == ()
            assert await w.ctl_json("client", "list") == []


async def test_a_client_that_is_killed_leaves_its_provider_in_order(tmp_path: Path) -> None:
    """The provider has its detach and its cleanup, and can go at once."""
    async with world(tmp_path) as w, bare(w, "disk", "--provide", STORAGE) as disk:
        async with bare(w, "app", "--want", STORAGE) as app:
            await disk.until("bound")
            app.process.kill()
            await disk.until("detach")
            await disk.until("cleanup")
        assert await w.ctl_json("client", "list") == []
        await disk.leave()


async def test_many_bind_to_many_across_processes(tmp_path: Path) -> None:
    """Each client to each provider, once."""
    async with world(tmp_path) as w, AsyncExitStack() as stack:
        for number in range(2):
            await stack.enter_async_context(bare(w, f"disk {number}", "--provide", STORAGE))
            await stack.enter_async_context(bare(w, f"app {number}", "--want", STORAGE))
        bindings = await w.client.bindings()
        ends = {(each.client.owner, each.provider.owner) for each in bindings}
        assert ends == {(f"app {n}", f"disk {m}") for n in range(2) for m in range(2)}
        assert {each.state for each in bindings} == {BindingState.READY}


@asynccontextmanager
async def leaving(w: World) -> AsyncGenerator[tuple[Process, int, int]]:
    """An extension that was told to leave and waits for its map; its registration, and the map."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(MAPS), str(w.folder / "journal"), w.address, stderr=PIPE
    )
    try:
        assert process.stderr is not None
        assert b"connected" in await process.stderr.readline()
        create = ("map", "create", "masked", "--key", "4", "--value", "4", "--entries", "2")
        (made,) = await w.ctl_json(*create)
        watch = w.client.watch_registrar()
        await anext(watch)
        process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            parting = await _next_binding(watch)
        await watch.aclose()
        assert parting.state is BindingState.DETACHING
        yield process, parting.provider.registration, made["id"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _next_binding(watch: AsyncGenerator[RegistrarSnapshot | RegistrarChange]) -> Binding:
    async for event in watch:
        if isinstance(event, RegistrarChange) and isinstance(event.subject, Binding):
            return event.subject
    raise AssertionError("the watch has ended")


async def test_an_operator_ends_an_extension_that_waits_for_its_map(tmp_path: Path) -> None:
    """The map stays without it."""
    async with world(tmp_path) as w, leaving(w) as (process, registration, map_id):
        gone = await w.ctl_json("provider", "disconnect", str(registration))
        assert registration in [each["registration"] for each in gone]
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
        assert await w.ctl_json("binding", "list") == []
        assert [each["id"] for each in await w.ctl_json("map", "list")] == [map_id]
        again = await w.ctl("-o", "json", "provider", "disconnect", str(registration))
        assert again.error()["code"] == Result.KEY_NOT_FOUND
        await w.ctl_json("map", "remove", str(map_id))


async def test_the_registrar_can_be_watched(tmp_path: Path) -> None:
    """By the SDK: a snapshot first, then a binding's whole life."""
    async with world(tmp_path) as w, bare(w, "disk", "--provide", STORAGE):
        watch = w.client.watch_registrar(UUID(STORAGE))
        first = await anext(watch)
        assert isinstance(first, RegistrarSnapshot)
        assert [each.owner for each in first.registrations] == ["disk"]
        async with bare(w, "app", "--want", STORAGE) as app:
            await app.leave()
        seen: list[tuple[ChangeKind, BindingState]] = []
        while len(seen) < 5:
            event = await anext(watch)
            assert isinstance(event, RegistrarChange)
            if isinstance(event.subject, Binding):
                seen.append((event.kind, event.subject.state))
        await watch.aclose()
        assert seen == [
            (ChangeKind.ADDED, BindingState.ATTACHING),
            (ChangeKind.CHANGED, BindingState.READY),
            (ChangeKind.CHANGED, BindingState.DETACHING),
            (ChangeKind.CHANGED, BindingState.CLEANUP),
            (ChangeKind.GONE, BindingState.CLEANUP),
        ]


async def test_an_operator_watches_with_ebpfctl(tmp_path: Path) -> None:
    """As lines of text and of JSON; the daemon's end is the watch's."""
    async with world(tmp_path) as w:
        script = Path(sys.executable).with_name("ebpfctl")
        watches = [
            await asyncio.create_subprocess_exec(
                script,
                "--address",
                w.address,
                *form,
                "registrar",
                "watch",
                stdout=PIPE,
                stderr=PIPE,
            )
            for form in ((), ("-o", "json"))
        ]
        text, lines = (each.stdout for each in watches)
        assert text is not None
        assert lines is not None
        async with asyncio.timeout(PATIENCE_S):
            assert (await text.readline()).startswith(b"snapshot: 1 registrations, 0 bindings")
            assert json.loads(await lines.readline())["event"] == "snapshot"
            async with sample(w):
                pass
            await text.readline()
            assert b"added: provider 2 of program information: sample, by" in await text.readline()
            added = json.loads(await lines.readline())
            assert (added["event"], added["registration"]["module"]) == ("added", "sample")
            for stream in (text, lines):
                while b"gone" not in await stream.readline():
                    pass
            w.daemon.terminate()
            for each in watches:
                out = await each.communicate()
                assert each.returncode == 0, out
            assert await w.daemon.wait() == 0
