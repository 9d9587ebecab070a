"""Hooks and links over the wire: chains, replacements, and the order that is shown."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Final

from ebpfd.rpc.contract_codec import encode_attach_data
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, hook_pb2, links_pb2, programs_pb2
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA, PROGRAM_TYPE
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import object_file
from tests.daemon.rpc.wire import Module, Wire, serving

MULTI: Final = dataclasses.replace(
    HOOK_DATA, capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD, wildcards=(b"", b"\0")
)
NAMED: Final = hook_pb2.AttachType(name="sample_ext")


async def provider(w: Wire) -> tuple[Module, dict[str, int]]:
    """A module with a hook for many links, and the programs to attach by name."""
    module = await w.module("sample")
    await module.provide(hooks=False)
    said = reg.Characteristics(attach_provider_data=encode_attach_data(MULTI))
    await module.register(HOOK.bytes, ATTACH_TYPE.bytes, said)
    request = programs_pb2.LoadRequest(object=object_file("chain.o"), file_name="chain.o")
    loaded = await module.during(w.programs.Load(request))
    await module.open_data()
    return module, {each.name: each.id for each in loaded.programs}


async def attach(
    w: Wire, module: Module, program: int, parameter: bytes = b"", priority: int = 0
) -> links_pb2.Link:
    """Attach a program to the hook."""
    request = links_pb2.AttachRequest(
        program_id=program, attach_type=NAMED, parameter=parameter, priority=priority
    )
    response = await module.during(w.links.Attach(request))
    assert response.status.code == Result.SUCCESS, response.status
    return response.link


async def test_a_chain_is_run_by_its_bindings_or_by_its_event(tmp_path: Path) -> None:
    """Either way each program gets what the one before it left."""
    async with serving(tmp_path) as w:
        module, programs = await provider(w)
        every = await attach(w, module, programs["twice"])
        one = await attach(w, module, programs["add_one"], b"\1")
        bindings = [one.binding, every.binding]
        target = hook_pb2.HookTarget(attach_type=ATTACH_TYPE.bytes, parameter=b"\1")
        by_bindings = await module.invoke(
            chain=hook_pb2.Chain(bindings=bindings), contexts=contexts(3)
        )
        by_event = await module.invoke(hook=target, contexts=contexts(3))
        assert by_bindings == by_event
        assert (by_event.results, by_event.contexts) == (u32s(8), contexts(8))
        target.parameter = b"\2"
        assert (await module.invoke(hook=target, contexts=contexts(3))).results == u32s(6)
        wrong = await module.invoke(chain=hook_pb2.Chain(bindings=bindings[::-1]))
        assert (wrong.code, wrong.codes) == (Result.INVALID_ARGUMENT, b"")


async def test_a_hook_is_shown_with_its_links_in_invocation_order(tmp_path: Path) -> None:
    """So is the list of all links."""
    async with serving(tmp_path) as w:
        module, programs = await provider(w)
        wildcard = await attach(w, module, programs["add_one"], b"\0", priority=-2)
        late = await attach(w, module, programs["add_one"], b"\1", priority=4)
        first = await attach(w, module, programs["twice"], b"\1")
        assert (wildcard.wildcard, late.wildcard, late.priority) == (True, False, 4)
        shown = await w.links.ListHooks(links_pb2.ListHooksRequest(attach_type=NAMED))
        assert list(shown.hooks) == [
            links_pb2.HookInfo(
                attach_type=ATTACH_TYPE.bytes,
                name="sample_ext",
                program_type=PROGRAM_TYPE.bytes,
                program_type_name="sample",
                capability=contract_pb2.ATTACH_CAPABILITY_MULTI_ATTACH_WITH_WILDCARD,
                wildcards=[b"", b"\0"],
                provider="sample",
                link_type=1,
                bpf_attach_type=8,
                links=[first, late, wildcard],
            )
        ]
        assert shown == await w.links.ListHooks(links_pb2.ListHooksRequest())
        listed = await w.links.List(links_pb2.LinksListRequest())
        assert list(listed.links) == [first, late, wildcard]
        nothing = hook_pb2.AttachType(name="nothing")
        refused = await w.links.ListHooks(links_pb2.ListHooksRequest(attach_type=nothing))
        assert refused.status.code == Result.OBJECT_NOT_FOUND


async def test_a_link_says_what_happens_when_its_program_fails(tmp_path: Path) -> None:
    """By number or by name; its hook is told."""
    async with serving(tmp_path) as w:
        module, programs = await provider(w)
        request = links_pb2.AttachRequest(
            program_id=programs["twice"],
            attach_type=NAMED,
            policy=links_pb2.PolicyChange(lost=links_pb2.ResultChoice(result=0)),
        )
        attaching = asyncio.ensure_future(w.links.Attach(request))
        callback = await module.next("attach")
        said = callback.attach.peer.characteristics.extension_data
        assert said.policy == contract_pb2.LinkPolicy(lost=0)
        await module.return_to(callback.callback_id, 0)
        link = (await attaching).link
        assert link.policy == contract_pb2.LinkPolicy(lost=0)
        request.policy.timeout.name = "DROP"
        refused = await w.links.Attach(request)
        assert refused.status.code == Result.INVALID_ARGUMENT
        assert 'policy.timeout: "sample" has no result "DROP"' in refused.status.message
        request.policy.timeout.ClearField("choice")
        refused = await w.links.Attach(request)
        assert refused.status.message == "policy.timeout: give a result, by number or name"
        attached = await attach(w, module, programs["twice"])
        assert attached.policy == contract_pb2.LinkPolicy()


async def test_a_policy_is_set_and_the_hook_hears_of_it(tmp_path: Path) -> None:
    """Nobody is asked; what a message comes to that is refused as a whole is said with it."""
    async with serving(tmp_path) as w:
        module, programs = await provider(w)
        link = await attach(w, module, programs["twice"])
        chosen = links_pb2.PolicyChange(error=links_pb2.ResultChoice(result=7))
        request = links_pb2.SetPolicyRequest(id=link.id, policy=chosen)
        response = await w.links.SetPolicy(request)
        assert response.status.code == Result.SUCCESS
        assert response.link.policy == contract_pb2.LinkPolicy(error=7)
        described = (await module.next("described")).described
        said = described.peer.characteristics.extension_data
        assert (described.binding, said.link_id, said.policy) == (
            link.binding,
            link.id,
            contract_pb2.LinkPolicy(error=7),
        )
        reply = await module.invoke(binding=link.binding, count=2, contexts=bytes(65))
        assert (reply.code, reply.failure_result) == (Result.INVALID_ARGUMENT, 7)
        reply = await module.invoke(binding=link.binding + 1)
        assert (reply.code, reply.HasField("failure_result")) == (Result.OBJECT_NOT_FOUND, False)
        request.policy.lost.name = "DROP"
        refused = await w.links.SetPolicy(request)
        assert refused.status.code == Result.INVALID_ARGUMENT
        (listed,) = (await w.links.List(links_pb2.LinksListRequest())).links
        assert listed.policy == contract_pb2.LinkPolicy(error=7)


async def test_a_link_gets_another_program_and_a_parameter_is_cleared(tmp_path: Path) -> None:
    """Each event from then on meets the new one; a refusal says who is there."""
    async with serving(tmp_path) as w:
        module, programs = await provider(w)
        add_one, twice = programs["add_one"], programs["twice"]
        link = await attach(w, module, add_one, b"\1")
        request = links_pb2.ReplaceRequest(
            id=link.id, program_id=twice, expected_program_id=add_one
        )
        replaced = await w.links.Replace(request)
        assert (replaced.link.program_id, replaced.link.program_name) == (twice, "twice")
        answer = await module.invoke(binding=link.binding, contexts=contexts(5))
        assert answer.results == u32s(10)
        again = await w.links.Replace(request)
        assert again.status.code == Result.INVALID_ARGUMENT
        assert f"has program {twice} (twice)" in again.status.message
        assert not again.HasField("link")
        unlink = links_pb2.UnlinkRequest(attach_type=NAMED, parameter=b"\1")
        assert list((await module.during(w.links.Unlink(unlink))).ids) == [link.id]
        assert (await w.links.Unlink(unlink)).status.code == Result.OBJECT_NOT_FOUND
