"""Hooks that the daemon provides itself: attached to and fired with no extension process."""

import json
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_extensions.sample.extension import SampleContext, events
from ebpfd_sdk import Client, EbpfdError, LinkState, Program, Result
from tests.e2e.world import PROGRAMS, World, sample, script, world
from tests.packets import MALFORMED, UDP

FAULTY = Path(__file__).parent / "faulty_extension.py"
MULTI = AttachCapability.MULTI_ATTACH_WITH_WILDCARD


async def hosting(w: World, *options: str) -> Any:
    """The sample's type provided by the daemon, and a hook of its own."""
    await w.ctl_json("contract", "import", "sample", "--provide")
    return await w.ctl_json("hook", "create", "gate", "--program-type", "sample", *options)


async def load(w: World, name: str = "count") -> Program:
    """Load a program that calls no helper of an extension."""
    return next(iter((await w.client.load(PROGRAMS / f"{name}.o")).values()))


async def test_a_hook_works_with_the_daemon_alone(tmp_path: Path) -> None:
    """Contract imported, hook created, program attached, and fired by a second process."""
    async with world(tmp_path) as w:
        made = await hosting(w)
        assert (made["provider"], made["hosted"], made["takes"]) == (
            "daemon",
            True,
            "one_per_parameter",
        )
        loaded = await w.ctl_json("program", "load", str(PROGRAMS / "count.o"))
        await w.ctl_json("link", "attach", str(loaded[0]["id"]), "--attach-type", "gate")
        for data, result in ((UDP, 0), (MALFORMED, 1)):
            fired = await w.ctl_json("hook", "fire", "gate", "--data", data.hex())
            assert fired["results"] == {str(result): 1}
        columns = await w.client.fire_batch(
            "gate", count=2, data=UDP + MALFORMED, data_lengths=[len(UDP), len(MALFORMED)]
        )
        assert (columns.codes, columns.results) == (b"\0\0", b"\0\0\0\0\1\0\0\0")
        (shown,) = [each for each in await w.ctl_json("hook", "list") if each["hook"] == "gate"]
        (link,) = shown["links"]
        assert (link["runs"], link["provider"], link["state"]) == (4, "daemon", "attached")
        assert {each.owner for each in await w.client.providers()} == {"daemon"}


async def test_a_hook_of_the_daemons_survives_kill_9(tmp_path: Path) -> None:
    """With its links, its default result and its GUID; nothing waits for anybody."""
    async with world(tmp_path) as w:
        made = await hosting(w, "--default-result", "7")
        link = await (await load(w)).attach("gate", parameter=b"eth0")
        w.daemon.kill()
        await w.daemon.wait()
    async with world(tmp_path) as w:
        (found,) = await w.client.links()
        assert (found.id, found.state) == (link.id, LinkState.ATTACHED)
        (again,) = await w.client.hooks("gate")
        assert str(again.attach_type) == made["attach_type"]
        assert (again.hosted, again.default_result, again.provider) == (True, 7, "daemon")
        answer = await w.client.fire("gate", data=UDP, parameter=b"eth0")
        assert (answer.code, answer.result) == (Result.SUCCESS, 0)
        answer = await w.client.fire("gate", data=UDP, parameter=b"eth1")
        assert (answer.code, answer.result) == (Result.KEY_NOT_FOUND, 7)


async def test_a_chain_runs_in_its_order_on_a_hook_of_the_daemons(tmp_path: Path) -> None:
    """A parameter's own links before wildcards; without one, wildcards alone."""
    async with world(tmp_path) as w:
        await hosting(w, "--takes", "multi_attach_with_wildcard")
        trace = await load(w, "trace")
        for parameter in (b"", b"eth0", b"eth0"):
            await trace.attach("gate", parameter=parameter)
        context = SampleContext(uint32_data=3)
        assert (await w.client.fire("gate", context=context, parameter=b"eth0")).code == 0
        assert (await w.client.fire("gate", context=context)).code == 0
        links = (await w.client.hooks("gate"))[0].links
        assert [each.wildcard for each in links] == [False, False, True]
        assert [each.counters.runs for each in links] == [1, 1, 2]
        for link in links:
            await link.detach()
        nobody = await w.client.fire("gate", context=context, parameter=b"eth0")
        assert nobody.code is Result.OBJECT_NOT_FOUND


async def test_a_capability_is_kept_to_by_the_daemon_too(tmp_path: Path) -> None:
    """One link for each parameter; the other is named."""
    async with world(tmp_path) as w:
        await hosting(w)
        program = await load(w)
        link = await program.attach("gate")
        with pytest.raises(EbpfdError, match=f"link {link.id} of program .* attached with no par"):
            await program.attach("gate")


async def test_a_hook_is_removed_only_when_nothing_is_attached(tmp_path: Path) -> None:
    """Then it is gone, also after a restart; one of an extension stays while that runs."""
    async with world(tmp_path) as w:
        await hosting(w)
        link = await (await load(w)).attach("gate")
        refused = await w.ctl("-o", "json", "hook", "remove", "gate")
        assert refused.error()["code"] == Result.INVALID_STATE
        assert f"link {link.id} is attached" in refused.error()["message"]
        await link.detach()
        await w.ctl_json("hook", "remove", "gate")
        assert (await w.client.fire("gate")).code is Result.OBJECT_NOT_FOUND
        async with sample(w):
            with pytest.raises(EbpfdError, match="stop it first") as caught:
                await w.client.remove_hook("sample_ext")
            assert caught.value.code is Result.INVALID_STATE
        w.daemon.kill()
        await w.daemon.wait()
    async with world(tmp_path) as w:
        assert [each.name for each in await w.client.hooks()] == ["sample_ext"]


async def test_creating_a_hook_twice_is_creating_it_once(tmp_path: Path) -> None:
    """The same description will do; another one, or a name that is taken, is refused."""
    async with world(tmp_path) as w:
        await hosting(w)
        (made,) = await w.client.hooks("gate")
        assert await w.client.create_hook("gate", "sample") == made
        for wanted in (
            w.client.create_hook("gate", "sample", capability=MULTI),
            w.client.create_hook("gate", "sample", attach_type=UUID(int=5)),
        ):
            with pytest.raises(EbpfdError) as caught:
                await wanted
            assert caught.value.code is Result.OBJECT_ALREADY_EXISTS


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (["--program-type", "none"], Result.OBJECT_NOT_FOUND, 'unknown program type "none"'),
        (["--program-type", "sample", "--default-result", "DROP"], Result.INVALID_ARGUMENT, "DROP"),
        (["--program-type", "sample", "--wildcard", "00"], Result.INVALID_ARGUMENT, "wildcards: "),
        (
            ["--program-type", "sample", "--attach-type", str(UUID(int=0))],
            Result.INVALID_ARGUMENT,
            "attach_type: ",
        ),
    ],
)
async def test_a_hook_that_makes_no_sense_is_refused(
    tmp_path: Path, options: list[str], code: Result, problem: str
) -> None:
    """The field is named, and nothing is there afterwards."""
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "sample", "--provide")
        refused = await w.ctl("-o", "json", "hook", "create", "gate", *options)
        assert refused.error()["code"] == code
        assert problem in refused.error()["message"]
        assert await w.client.hooks() == ()


async def test_an_extension_and_the_daemon_do_not_provide_one_hook(tmp_path: Path) -> None:
    """Whoever has it first keeps it, and the other one is told."""
    async with world(tmp_path) as w:
        async with sample(w) as extension:
            with pytest.raises(EbpfdError, match="the extension sample provides hook") as caught:
                await w.client.create_hook("mine", "sample", attach_type=events.guid)
            assert caught.value.code is Result.OBJECT_ALREADY_EXISTS
            extension.send_signal(signal.SIGTERM)
            await extension.wait()
        await w.client.create_hook("sample_ext", "sample", attach_type=events.guid)
        with pytest.raises(Exception, match="the daemon hosts it"):
            async with sample(w):
                pass


async def test_an_extension_may_leave_its_hook_to_the_daemon(tmp_path: Path) -> None:
    """It goes on without the extension, with its links; a new one finds it as it is."""
    async with world(tmp_path) as w:
        async with script(w, FAULTY, "--hosted"):
            (hook,) = await w.client.hooks()
            assert (hook.name, hook.hosted, hook.provider) == ("sample_ext", True, "daemon")
            assert hook.attach_type == events.guid
            link = await (await load(w)).attach("sample_ext")
            answer = await w.client.fire("sample_ext", data=MALFORMED)
            assert (answer.code, answer.result) == (Result.SUCCESS, 1)
        answer = await w.client.fire("sample_ext", data=MALFORMED)
        assert answer.code is Result.EXTENSION_FAILED_TO_LOAD, "its program's type has left"
        async with script(w, FAULTY, "--hosted"):
            answer = await w.client.fire("sample_ext", data=MALFORMED)
            assert (answer.code, answer.result) == (Result.SUCCESS, 1)
            (found,) = await w.client.links()
            assert (found.id, found.counters.runs) == (link.id, 2)


async def test_a_contract_that_says_hosted_is_provided_once_it_is_imported(tmp_path: Path) -> None:
    """By another daemon than that which wrote it; it survives kill -9 as others do."""
    contract = tmp_path / "gate.json"
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    async with world(tmp_path / "one") as w:
        made = await hosting(w, "--default-result", "7", "--closed-result", "5")
        await w.ctl_json("hook", "export", "gate", "--to", str(contract))
    assert json.loads(contract.read_text())["hosted"] is True
    async with world(tmp_path / "other") as w:
        early = await w.ctl("-o", "json", "hook", "import", str(contract))
        assert early.error()["code"] == Result.OBJECT_NOT_FOUND, "nobody knows its programs' type"
        await w.ctl_json("contract", "import", "sample", "--provide")
        taken = await w.ctl_json("hook", "import", str(contract))
        assert taken == made
        assert await w.ctl_json("hook", "import", str(contract)) == made, "twice is once"
        link = await (await load(w)).attach("gate")
        w.daemon.kill()
        await w.daemon.wait()
    async with world(tmp_path / "other") as w:
        (again,) = await w.client.hooks("gate")
        assert (again.hosted, again.provider, again.closed_result) == (True, "daemon", 5)
        answer = await w.client.fire("gate", data=UDP)
        assert (answer.code, answer.result) == (Result.SUCCESS, 0)
        await w.client.detach(link.id)
        await w.ctl_json("hook", "remove", "gate")
        assert await w.client.hooks() == ()


async def test_a_hooks_contract_that_is_not_hosted_waits_for_its_extension(tmp_path: Path) -> None:
    """It is known, and its extension has it when it comes."""
    contract = tmp_path / "sample_ext.json"
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    async with world(tmp_path / "one") as w, sample(w):
        await w.ctl_json("hook", "export", "sample_ext", "--to", str(contract))
    async with world(tmp_path / "other") as w:
        await w.ctl_json("contract", "import", "sample")
        taken = await w.ctl_json("hook", "import", str(contract))
        assert (taken["hook"], taken["hosted"], taken["provider"]) == ("sample_ext", False, "")
        answer = await w.client.fire("sample_ext", data=UDP)
        assert answer.code is Result.OBJECT_NOT_FOUND
        async with sample(w):
            await (await load(w)).attach("sample_ext")
            assert (await w.client.fire("sample_ext", data=MALFORMED)).result == 1


async def test_an_import_takes_no_hook_from_its_extension(tmp_path: Path) -> None:
    """Nor from the daemon under another description; the owner is named, and nothing changes."""
    contract = tmp_path / "hook.json"
    async with world(tmp_path) as w, sample(w):
        said = json.loads(await w.client.export_hook("sample_ext"))
        contract.write_text(json.dumps(said | {"hosted": True, "capability": "SINGLE_ATTACH"}))
        refused = await w.ctl("-o", "json", "hook", "import", str(contract))
        assert refused.error()["code"] == Result.OBJECT_ALREADY_EXISTS
        assert "the extension sample provides hook" in refused.error()["message"]
        gate = await w.client.create_hook("gate", "sample")
        said = json.loads(await w.client.export_hook("gate"))
        with pytest.raises(EbpfdError, match="is there already, and is another") as caught:
            await w.client.import_hook(json.dumps(said | {"default_result": 3}).encode())
        assert caught.value.code is Result.OBJECT_ALREADY_EXISTS
        assert await w.client.hooks("gate") == (gate,)


async def test_helpers_of_an_extension_serve_a_hook_of_the_daemons(tmp_path: Path) -> None:
    """The extension provides the type; when it has gone, events have their code and go on."""
    async with world(tmp_path) as w:
        async with sample(w):
            await w.client.create_hook("gate", "sample", default_result=9, closed_result=5)
            program = await load(w, "helper_implicit_2")
            await program.attach("gate", on_failure="closed")
            context = SampleContext(helper_data_2=20, uint32_data=2)
            async with Client(w.address) as other:
                answer = await other.fire("gate", context=context)
            assert (answer.code, answer.result) == (Result.SUCCESS, 22)
        answer = await w.client.fire("gate", context=context)
        assert (answer.code, answer.result) == (Result.EXTENSION_FAILED_TO_LOAD, 5)
