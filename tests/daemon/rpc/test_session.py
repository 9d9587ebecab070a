"""Sessions by hand: every step at which a module may be wrong, late, deaf or gone."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from ebpfd.host.contracts import Contracts
from ebpfd.host.link_client import PROGRAM_DISPATCH
from ebpfd.rpc.contract_codec import encode_attach_data, encode_program_data
from ebpfd.rpc.contract_formats import CONTENT_TYPES, Format, encode
from ebpfd_api.npi import GENERAL_HELPERS_MODULE, HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, links_pb2, programs_pb2
from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HOOK_DATA,
    PROGRAM_TYPE,
    SAMPLE,
    with_descriptor,
)
from tests.daemon.host.world import object_file, soon, until
from tests.daemon.rpc.test_contract_formats import historic
from tests.daemon.rpc.wire import NPI, Module, Wire, plain, serving


def sample_data(data: Any = SAMPLE) -> reg.Characteristics:
    """The sample's program data as characteristics."""
    return reg.Characteristics(program_data=encode_program_data(data))


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """How reading from *call* fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"heartbeat": reg.Heartbeat()}, grpc.StatusCode.INVALID_ARGUMENT),
        ({}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"hello": reg.Hello()}, grpc.StatusCode.FAILED_PRECONDITION),
        ({"hello": reg.Hello(protocol_version=2)}, grpc.StatusCode.FAILED_PRECONDITION),
    ],
    ids=["another message", "an empty one", "no version", "a later version"],
)
async def test_a_session_begins_with_hello(
    tmp_path: Path, message: dict[str, Any], code: grpc.StatusCode
) -> None:
    """In the protocol's version; else the stream ends and says why."""
    async with serving(tmp_path) as w:
        module = Module(w.channel)
        await module.write(**message)
        assert (await failure(module.call)).code() is code
        assert w.daemon.sessions.all() == []


async def test_a_stream_that_ends_before_hello_is_no_session(tmp_path: Path) -> None:
    """Refused without a trace."""
    async with serving(tmp_path) as w:
        module = Module(w.channel)
        await module.call.done_writing()
        assert (await failure(module.call)).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_session_can_be_used_the_moment_it_is_named(tmp_path: Path) -> None:
    """The data stream may be opened as soon as the welcome has been read."""
    async with serving(tmp_path) as w:
        for _ in range(20):
            module = await w.module()
            await module.open_data()
            assert (await module.invoke(sequence=3)).code == Result.INVALID_ARGUMENT


async def test_a_heartbeat_that_asks_is_answered(tmp_path: Path) -> None:
    """Others are not, or two who answer would never end; a message without content is ignored."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.write()
        await module.write(heartbeat=reg.Heartbeat())
        await module.write(call_id=1, deregister=reg.Deregister(registration=77))
        assert (await module.read()).HasField("call_return")
        await module.write(heartbeat=reg.Heartbeat(ask=True))
        assert (await module.read()).HasField("heartbeat")


HOSTILE: dict[str, tuple[str, reg.Register]] = {
    "no role": ("role", reg.Register(instance=plain())),
    "unknown role": ("role", reg.Register(role=77, instance=plain())),  # type: ignore[arg-type]
    "no instance": ("instance.npi_id", reg.Register(role=reg.ROLE_CLIENT)),
    "short NPI": ("instance.npi_id", reg.Register(role=reg.ROLE_CLIENT, instance=plain(b"abc"))),
    "long NPI": ("instance.npi_id", reg.Register(role=reg.ROLE_CLIENT, instance=plain(bytes(17)))),
    "short module": (
        "instance.module_id.guid",
        reg.Register(role=reg.ROLE_CLIENT, instance=plain(guid=b"abc")),
    ),
    "no module": (
        "instance.module_id",
        reg.Register(role=reg.ROLE_CLIENT, instance=reg.RegistrationInstance(npi_id=NPI.bytes)),
    ),
    "no program data": (
        "instance.characteristics",
        reg.Register(role=reg.ROLE_PROVIDER, instance=plain(PROGRAM_INFORMATION.bytes)),
    ),
    "no context": (
        "type_descriptor.context_descriptor",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(
                PROGRAM_INFORMATION.bytes,
                characteristics=reg.Characteristics(program_data=contract_pb2.ProgramData()),
            ),
        ),
    ),
    "broken rule": (
        "type_descriptor.name",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(
                PROGRAM_INFORMATION.bytes,
                characteristics=sample_data(with_descriptor(SAMPLE, name="")),
            ),
        ),
    ),
    "another module id": (
        "instance.module_id",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(PROGRAM_INFORMATION.bytes, characteristics=sample_data()),
        ),
    ),
    "the general helpers' id": (
        "instance.module_id",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(
                PROGRAM_INFORMATION.bytes,
                GENERAL_HELPERS_MODULE.bytes,
                characteristics=sample_data(
                    with_descriptor(SAMPLE, program_type=GENERAL_HELPERS_MODULE)
                ),
            ),
        ),
    ),
    "no attach data": (
        "instance.characteristics",
        reg.Register(role=reg.ROLE_PROVIDER, instance=plain(HOOK.bytes)),
    ),
    "short program type": (
        "supported_program_type",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(
                HOOK.bytes,
                characteristics=reg.Characteristics(
                    attach_provider_data=contract_pb2.AttachProviderData(
                        supported_program_type=b"x"
                    )
                ),
            ),
        ),
    ),
    "null program type": (
        "supported_program_type",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=plain(
                HOOK.bytes,
                characteristics=reg.Characteristics(
                    attach_provider_data=contract_pb2.AttachProviderData(
                        supported_program_type=bytes(16)
                    )
                ),
            ),
        ),
    ),
    "hook with a LUID": (
        "instance.module_id",
        reg.Register(
            role=reg.ROLE_PROVIDER,
            instance=reg.RegistrationInstance(
                npi_id=HOOK.bytes,
                module_id=reg.ModuleId(if_luid=1),
                characteristics=reg.Characteristics(
                    attach_provider_data=encode_attach_data(HOOK_DATA)
                ),
            ),
        ),
    ),
}


async def test_what_makes_no_sense_is_not_registered(tmp_path: Path) -> None:
    """INVALID_PARAMETER with the field's name, and the session goes on."""
    async with serving(tmp_path) as w:
        module = await w.module()
        for case, (field, register) in HOSTILE.items():
            answer = await module.ask(register=register)
            assert answer.status == NtStatus.INVALID_PARAMETER, case
            assert answer.message.startswith(f"{field}: "), (case, answer.message)
        assert len(w.daemon.registrar.providers()) == 1
        assert w.daemon.registrar.clients() == []


async def test_unknown_numbers_of_types_are_named(tmp_path: Path) -> None:
    """Arguments and results beyond the enumerations, and too many arguments."""
    async with serving(tmp_path) as w:
        module = await w.module()
        changes: list[tuple[str, Any]] = [
            ("arguments[0]: 16 is no ArgumentType", {"arguments": [16]}),
            ("arguments[1]: 4294967295 is no", {"arguments": [1, 2**32 - 1]}),
            ("return_type: 12 is no ReturnType", {"return_type": 12}),
            ("arguments: 6 are more than 5", {"arguments": [1] * 6}),
        ]
        for expected, change in changes:
            data = sample_data()
            helpers = data.program_data.program_info.program_type_specific_helpers
            del helpers[:]
            helpers.add(helper_id=0x10000, name="h", **change)
            answer = await module.ask(
                register=reg.Register(
                    role=reg.ROLE_PROVIDER,
                    instance=plain(PROGRAM_INFORMATION.bytes, characteristics=data),
                )
            )
            assert f"program_type_specific_helpers[0].{expected}" in answer.message


async def test_handles_of_others_and_made_up_ones_are_refused(tmp_path: Path) -> None:
    """With the registrar's status, to whoever used them."""
    async with serving(tmp_path) as w:
        owner, thief = await w.module("owner"), await w.module("thief")
        (registration, _) = await owner.provide()
        for handle in (registration, 10**6, 2**64 - 1, 0):
            answer = await thief.ask(deregister=reg.Deregister(registration=handle))
            assert answer.status == NtStatus.INVALID_PARAMETER
        for binding in (1, 2**64 - 1):
            answer = await thief.ask(
                client_attach_provider=reg.ClientAttachProvider(binding=binding)
            )
            assert answer.status == NtStatus.INVALID_PARAMETER
            await thief.write(detach_complete=reg.DetachComplete(binding=binding, role=9))  # type: ignore[arg-type]
        assert (await owner.ask(deregister=reg.Deregister(registration=registration))).status == 0
        again = await owner.ask(deregister=reg.Deregister(registration=registration))
        assert again.status == NtStatus.INVALID_PARAMETER


async def test_answers_that_nobody_waits_for_mean_nothing(tmp_path: Path) -> None:
    """Late, duplicate, and of another kind than the callback: the right one still counts."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide(program_type=True)
        loading = asyncio.ensure_future(
            w.programs.Load(programs_pb2.LoadRequest(object=object_file("count.o")))
        )
        attach = await module.next("attach")
        number = attach.callback_id
        await module.write(helper_return=reg.HelperReturn(callback_id=number, result=5))
        await module.open_data()
        assert module.data is not None
        await module.data.write(hook.InvokeRequest(fire_return=hook.FireReturn(fire_id=number)))
        assert (await module.invoke(sequence=1)).sequence == 1
        for status in (NtStatus.SUCCESS, NtStatus.ACCESS_DENIED, 12345):
            await module.return_to(number, status)
            await module.return_to(number + 1000, status)
        response = await module.during(loading)
        assert response.status.code == Result.SUCCESS


async def remote_pair(w: Wire) -> tuple[Module, Module, int]:
    """A remote client whose nested attach is at its provider; the provider's callback id."""
    provider, client = await w.module("provider"), await w.module("client")
    answer = await provider.ask(
        register=reg.Register(role=reg.ROLE_PROVIDER, instance=plain(), has_cleanup=True)
    )
    assert answer.status == NtStatus.SUCCESS
    await client.write(
        call_id=71,
        register=reg.Register(
            role=reg.ROLE_CLIENT, instance=plain(guid=bytes(15) + b"\2"), has_cleanup=True
        ),
    )
    attach = await client.next("attach")
    assert attach.attach.role == reg.ROLE_CLIENT
    deadlines = [reg.CallDeadline(id=0x10000, deadline_ms=1500)]
    table = reg.DispatchTable(version=2, functions=["f", "g"], deadlines=deadlines)
    side = reg.BindingSide(binding_context=b"mine", dispatch=table)
    await client.write(
        call_id=72,
        client_attach_provider=reg.ClientAttachProvider(binding=attach.attach.binding, client=side),
    )
    nested = await provider.next("attach")
    assert nested.attach.role == reg.ROLE_PROVIDER
    assert nested.attach.client == side
    client.bindings.append(attach.callback_id)
    return provider, client, nested.callback_id


async def test_remote_modules_exchange_their_sides(tmp_path: Path) -> None:
    """Two processes, a contract of their own, and the daemon between them."""
    async with serving(tmp_path) as w:
        provider, client, nested = await remote_pair(w)
        side = reg.BindingSide(binding_context=b"yours")
        await provider.write(callback_return=reg.CallbackReturn(callback_id=nested, provider=side))
        answer = await client.returned(72)
        assert (answer.status, answer.provider) == (NtStatus.SUCCESS, side)
        await client.return_to(client.bindings[0], NtStatus.SUCCESS)
        assert (await client.returned(71)).status == NtStatus.SUCCESS
        (binding,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        assert binding.state == reg.BINDING_STATE_READY
        assert (binding.client.owner, binding.provider.owner) == ("client", "provider")


async def test_a_hook_is_offered_no_client_but_links(tmp_path: Path) -> None:
    """A stranger would hold a link's place there, and events would go to it in vain."""
    async with serving(tmp_path) as w:
        provider, client = await w.module("provider"), await w.module("client")
        await provider.provide()
        said = reg.Characteristics(extension_data=contract_pb2.ExtensionData(link_id=77))
        instance = plain(HOOK.bytes, bytes(15) + b"\2", characteristics=said)
        await client.write(
            call_id=71, register=reg.Register(role=reg.ROLE_CLIENT, instance=instance)
        )
        offer = await client.next("attach")
        table = reg.DispatchTable(version=1, functions=PROGRAM_DISPATCH.functions)
        nested = reg.ClientAttachProvider(
            binding=offer.attach.binding, client=reg.BindingSide(dispatch=table)
        )
        answer = await client.ask(client_attach_provider=nested)
        assert answer.status == NtStatus.INVALID_PARAMETER
        assert "a hook takes links only" in answer.message
        await client.return_to(offer.callback_id, answer.status)
        assert (await client.returned(71)).status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []
        await w.attach("count.o", provider)
        assert len(provider.bindings) == 2  # the program's and the link's


@pytest.mark.parametrize("lost", ["provider", "client"])
async def test_a_session_lost_in_a_nested_attach_frees_the_other(tmp_path: Path, lost: str) -> None:
    """The one that is left gets its answer, or its detach."""
    async with serving(tmp_path) as w:
        provider, client, nested = await remote_pair(w)
        if lost == "provider":
            provider.call.cancel()
            assert (await client.returned(72)).status == NtStatus.DEVICE_NOT_READY
            await client.return_to(client.bindings[0], NtStatus.DEVICE_NOT_READY)
            assert (await client.returned(71)).status == NtStatus.SUCCESS
        else:
            client.call.cancel()
            await until(lambda: len(w.daemon.sessions.all()) == 1)
            await provider.return_to(nested, NtStatus.SUCCESS)
            await provider.return_to((await provider.next("detach")).callback_id, 0)
            await provider.return_to((await provider.next("cleanup")).callback_id, 0)
        await until(lambda: w.daemon.registrar.bindings() == [])
        assert len(w.daemon.sessions.all()) == 1


async def test_a_pending_deregistration_completes_later(tmp_path: Path) -> None:
    """PENDING first, then ``deregister_complete`` when the last binding is gone."""
    async with serving(tmp_path) as w:
        module = await w.module()
        (registration,) = await module.provide(program_type=True, hooks=False)
        await w.load("count.o", module)
        (binding,) = module.bindings
        await module.write(call_id=500, deregister=reg.Deregister(registration=registration))
        detach = await module.next("detach")
        await module.return_to(detach.callback_id, NtStatus.PENDING)
        answer = (await module.next("call_return")).call_return
        assert (answer.call_id, answer.status) == (500, NtStatus.PENDING)
        await module.write(
            detach_complete=reg.DetachComplete(binding=binding, role=reg.ROLE_PROVIDER)
        )
        await module.return_to((await module.next("cleanup")).callback_id, 0)
        complete = (await module.next("deregister_complete")).deregister_complete
        assert complete.registration == registration


@pytest.mark.parametrize("step", ["attach", "detach", "cleanup"])
async def test_a_session_lost_in_a_callback_keeps_nobody_waiting(tmp_path: Path, step: str) -> None:
    """Unanswered callbacks of a link: the client of the daemon gets its answer all the same."""
    async with serving(tmp_path) as w:
        types, module = await w.module("types"), await w.module("hook")
        await types.provide(hooks=False)
        await module.provide(program_type=False)
        if step == "attach":
            program = await w.load("count.o", types)
            request = links_pb2.AttachRequest(
                program_id=program.id, attach_type=hook.AttachType(guid=ATTACH_TYPE.bytes)
            )
            call: Any = w.links.Attach(request)
        else:
            program = await w.load("count.o", types)
            request = links_pb2.AttachRequest(
                program_id=program.id, attach_type=hook.AttachType(name="sample_ext")
            )
            link = (await module.during(w.links.Attach(request))).link
            call = w.links.Detach(links_pb2.DetachRequest(id=link.id))
        working = asyncio.ensure_future(call)
        await module.next(step)
        module.call.cancel()
        status = (await soon(working)).status
        wanted = Result.EXTENSION_FAILED_TO_LOAD if step == "attach" else Result.SUCCESS
        assert status.code == wanted
        assert (await w.links.List(links_pb2.LinksListRequest())).links == []


async def test_a_module_that_does_not_read_is_gone(tmp_path: Path) -> None:
    """Its queue is bounded: beyond it the session ends, and its registrations with it."""
    async with serving(tmp_path) as w:
        module = await w.module("deaf")
        await module.provide()
        (remote,) = w.daemon.sessions.all()
        for _ in range(2 * remote.outgoing.maxsize):
            remote.send(reg.SessionResponse(heartbeat=reg.Heartbeat()))
        await until(lambda: w.daemon.sessions.all() == [])
        assert len(w.daemon.registrar.providers()) == 1
        await module.ended()


async def test_a_session_that_ends_amid_a_write_says_so(tmp_path: Path) -> None:
    """A module that reads late learns that its session has ended, and why."""
    async with serving(tmp_path) as w:
        call = w.registrar.Session()
        await call.write(reg.SessionRequest(hello=reg.Hello(protocol_version=1, name="late")))
        await until(lambda: len(w.daemon.sessions.all()) == 1)
        (remote,) = w.daemon.sessions.all()
        # More than the stream takes before it is read.
        remote.send(reg.SessionResponse(call_return=reg.CallReturn(message=1_000_000 * "x")))
        await until(remote.outgoing.empty)
        remote.lose("for a test")
        assert isinstance(await soon(call.read()), reg.SessionResponse)
        assert isinstance(await soon(call.read()), reg.SessionResponse)
        with pytest.raises(grpc.aio.AioRpcError, match="for a test"):
            await soon(call.read())
        assert await call.code() == grpc.StatusCode.ABORTED


async def test_lists_show_who_is_there(tmp_path: Path) -> None:
    """By contract, with the names that people use; a bad filter is a malformed request."""
    async with serving(tmp_path) as w:
        module = await w.module("sample")
        await module.provide()
        program = await w.load("count.o", module)
        providers = (await w.registrar.ListProviders(reg.ListProvidersRequest())).registrations
        assert [(each.owner, each.npi_name, each.module_name) for each in providers] == [
            ("daemon", "program information", "general helpers"),
            ("sample", "program information", "sample"),
            ("sample", "hook", "sample_ext"),
        ]
        only = reg.ListProvidersRequest(npi_id=HOOK.bytes)
        assert len((await w.registrar.ListProviders(only)).registrations) == 1
        clients = (await w.registrar.ListClients(reg.ListClientsRequest())).registrations
        assert {each.module_name for each in clients} == {
            f"program {program.id} (count_by_protocol)"
        }
        bad: list[Any] = [
            w.registrar.ListProviders(reg.ListProvidersRequest(npi_id=b"abc")),
            w.registrar.ListClients(reg.ListClientsRequest(npi_id=bytes(17))),
        ]
        for call in bad:
            status = (await call).status
            assert status.code == Result.INVALID_ARGUMENT
            assert "a GUID has 16 bytes" in status.message


async def test_a_contract_can_be_registered_and_read_by_other_means(tmp_path: Path) -> None:
    """LUID module ids and blobs travel as they are."""
    async with serving(tmp_path) as w:
        module = await w.module()
        instance = reg.RegistrationInstance(
            npi_id=NPI.bytes,
            module_id=reg.ModuleId(if_luid=2**64 - 1),
            number=2**32 - 1,
            characteristics=reg.Characteristics(
                blob=reg.Blob(content_type="text/plain", value=b"hi")
            ),
        )
        answer = await module.ask(register=reg.Register(role=reg.ROLE_PROVIDER, instance=instance))
        request = reg.ListProvidersRequest(npi_id=NPI.bytes)
        (shown,) = (await w.registrar.ListProviders(request)).registrations
        assert (shown.registration, shown.instance) == (answer.registration, instance)
        assert PROGRAM_TYPE != NPI


@pytest.mark.parametrize("form", [each for each in Format if each not in (Format.C, Format.FLAT)])
async def test_program_information_may_come_in_any_form(tmp_path: Path, form: Format) -> None:
    """The content type says which; the daemon takes it as if it had come as a value."""
    data = historic() if form is Format.RPCE_HISTORIC else SAMPLE
    async with serving(tmp_path) as w:
        module = await w.module()
        blob = reg.Blob(content_type=CONTENT_TYPES[form], value=encode(data, form))
        instance = plain(
            PROGRAM_INFORMATION.bytes,
            PROGRAM_TYPE.bytes,
            characteristics=reg.Characteristics(blob=blob),
        )
        answer = await module.ask(register=reg.Register(role=reg.ROLE_PROVIDER, instance=instance))
        assert answer.status == NtStatus.SUCCESS, answer.message
        (_, provider) = w.daemon.registrar.providers(PROGRAM_INFORMATION)
        assert provider.instance.characteristics == data
        assert w.daemon.contracts.find("sample").data == data


async def test_program_information_in_a_form_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    """By the content type, or by what is wrong in the bytes."""
    async with serving(tmp_path) as w:
        module = await w.module()
        for blob, says in [
            (reg.Blob(content_type="text/plain", value=b"hi"), "content_type: "),
            (reg.Blob(content_type=CONTENT_TYPES[Format.JSON], value=b"{}"), "program_info: "),
        ]:
            instance = plain(
                PROGRAM_INFORMATION.bytes,
                PROGRAM_TYPE.bytes,
                characteristics=reg.Characteristics(blob=blob),
            )
            register = reg.Register(role=reg.ROLE_PROVIDER, instance=instance)
            answer = await module.ask(register=register)
            assert answer.status == NtStatus.INVALID_PARAMETER
            assert answer.message.startswith(says)


async def test_a_session_that_ends_while_its_contract_is_kept_registers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would ever deregister it, and every link would be offered to it."""
    keeping, kept = asyncio.Event(), asyncio.Event()

    async def remember(*_: Any) -> None:
        keeping.set()
        await kept.wait()

    monkeypatch.setattr(Contracts, "remember_attach_type", remember)
    async with serving(tmp_path) as w:
        module = await w.module()
        data = reg.Characteristics(attach_provider_data=encode_attach_data(HOOK_DATA))
        instance = plain(HOOK.bytes, ATTACH_TYPE.bytes, characteristics=data)
        await module.write(
            call_id=7, register=reg.Register(role=reg.ROLE_PROVIDER, instance=instance)
        )
        await keeping.wait()
        module.call.cancel()
        await until(lambda: w.daemon.sessions.all() == [])
        kept.set()
        await w.module()
        assert w.daemon.registrar.providers(HOOK) == []
