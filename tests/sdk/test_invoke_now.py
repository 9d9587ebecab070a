"""Events that run in this process at once: by the engine's function while that is all there is."""

import gc
import inspect
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pytest

import ebpfd_vm
from ebpfd_api.v1 import registrar_pb2
from ebpfd_api.v1.contract_pb2 import LinkPolicy
from ebpfd_sdk import U32, U64, AttachCapability, Context, EbpfdError, Hook, ProgramType, Result
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._helper import Helper
from ebpfd_sdk._hook_provider import HookProvider
from ebpfd_sdk._local import LocalProgram, LocalPrograms
from ebpfd_sdk._stream import InvokeStream
from ebpfd_vm.sharing import Gate
from tests.engine import sample
from tests.sdk.fake_daemon import PROGRAM_DISPATCH

ADDS: Final = """
    ldxw %r0, [%r1+16]
    mov %r2, %r0
    add %r2, {step}
    stxw [%r1+16], %r2
    exit
"""
"""Gives the context's number, and adds to it."""

TEN: Final = (10).to_bytes(4, "little")


class Number(Context):
    """The engine's sample context, of which a program may change the number."""

    a: U64 = 0
    b: U64 = 0
    number: U32 = 0
    rest: U32 = 0
    c: U64 = 0


class Other(Context):
    """As many bytes, which mean something else."""

    a: U64 = 0
    b: U64 = 0
    c: U64 = 0
    number: U64 = 0


CONTEXT: Final = Number(number=7).pack()


@dataclass
class Scene:
    """A hook, its daemon's side, and the gates of the programs that it runs."""

    capability: AttachCapability = AttachCapability.ONE_PER_PARAMETER
    gates: list[Gate] = field(default_factory=list[Gate])
    remote: bool = False
    """Whether further links stay in the daemon."""

    budget: int | None = None
    """Of further programs."""

    policy: LinkPolicy = field(default_factory=LinkPolicy)
    """Of further links."""

    def __post_init__(self) -> None:
        guid = "0a0c5f2e-59a7-4d53-9c5b-1f3f6c1e7b11"
        self.hook = Hook(guid, ProgramType(guid, Number), capability=self.capability)
        self.connect()

    def connect(self) -> None:
        """Begin a session; the daemon has no link of an earlier one."""
        streams = DataStreams(lambda: cast("InvokeStream", None), cast("LocalPrograms", self))
        provider = self.hook.provider(streams)
        assert isinstance(provider, HookProvider)
        self.provider: HookProvider[Number] = provider
        self.provider.open()

    async def take(
        self,
        binding: int,
        type_: type[Number],
        helpers: Mapping[int, Helper],
    ) -> LocalProgram[Number] | str:
        """The program of a link, which adds its binding's number."""
        if self.remote:
            return "it stays there"
        spec = sample.assembled(ADDS.format(step=binding))
        program = ebpfd_vm.Program(spec, [], sample.INFORMATION, verified=True, budget=self.budget)
        gate = Gate()
        self.gates.append(gate)
        words = Gate(gate.fileno())
        return LocalProgram(sample.handed_over(program, words), words, type_)

    async def attach(self, binding: int, parameter: bytes = b"") -> None:
        """A link comes."""
        callback = registrar_pb2.AttachCallback(binding=binding)
        said = callback.peer.characteristics.extension_data
        said.link_id, said.program_name, said.data = binding, "adds", parameter
        said.policy.CopyFrom(self.policy)
        callback.client.dispatch.CopyFrom(PROGRAM_DISPATCH)
        await self.provider.attach(callback)

    def stands_in(self) -> bool:
        """Whether the engine's function stands in for the method."""
        return inspect.isbuiltin(self.hook.invoke_now)


def _refused(hook: "Hook[Number]", context: bytes = CONTEXT) -> EbpfdError:
    with pytest.raises(EbpfdError) as refused:
        hook.invoke_now(context)
    return refused.value


async def test_what_runs_here_is_looked_at_as_what_the_daemon_runs() -> None:
    """Contexts of another class, and what is no bytes or no deadline, are errors of the call."""
    scene = Scene()
    await scene.attach(1)
    wrong: Any = Other()
    for call in (scene.hook.invoke_now, scene.hook.invoke):
        with pytest.raises(TypeError, match=r"^Number or bytes must be given, not Other$"):
            call(wrong)
        with pytest.raises((ValueError, EbpfdError), match=r"\b(31\b.* 32|32\b.* 31)\b"):
            call(bytes(31))
        with pytest.raises(TypeError, match=r"^data must be bytes, not Other$"):
            call(data=wrong)
    for deadline_s in (-1, float("nan")):
        with pytest.raises(ValueError, match=r"^deadline_s: "):
            scene.hook.invoke(deadline_s=deadline_s)
    assert (await scene.hook.invoke(deadline_s=0)).code is Result.TIMEOUT
    assert (await scene.hook.invoke_batch(count=2, deadline_s=0)).code is Result.TIMEOUT
    assert scene.gates[0].counters().runs == 0


async def test_one_link_is_run_by_the_engines_own_function() -> None:
    """Bytes stay as they are, buffers get back what the contract allows; all is counted."""
    scene = Scene()
    await scene.attach(1)
    assert scene.stands_in()
    buffer = bytearray(CONTEXT)
    assert [scene.hook.invoke_now(CONTEXT), scene.hook.invoke_now(buffer)] == [7, 7]
    assert Number.unpack(bytes(buffer)).number == 8
    assert scene.hook.counters.invocations == 2
    assert scene.gates[0].counters().runs == 2


@pytest.mark.parametrize("stands_in", [True, False])
async def test_it_takes_what_the_method_takes(stands_in: bool) -> None:
    """The same answers, whoever gives them."""
    scene = Scene()
    await scene.attach(1)
    hook = scene.hook
    now = hook.invoke_now if stands_in else Hook[Number].invoke_now.__get__(hook)
    assert now(Number(number=5)) == 5
    assert now() == 0
    assert now(None) == 0
    assert now(context=CONTEXT) == 7
    assert now(CONTEXT, data=b"data", parameter=None) == 7
    assert now(CONTEXT, parameter=b"") == 7
    for buffer in (bytearray(CONTEXT), memoryview(bytearray(CONTEXT))):
        assert [now(buffer), now(buffer)] == [7, 8]
        assert Number.unpack(bytes(buffer)).number == 9
    assert now(memoryview(CONTEXT)) == 7
    with pytest.raises(TypeError, match="Number or bytes"):
        now("text")  # type: ignore[arg-type]
    with pytest.raises(EbpfdError) as nobody:
        now(CONTEXT, parameter=b"other")
    assert nobody.value.code is Result.KEY_NOT_FOUND


async def test_what_a_buffer_is_given_back_does_not_depend_on_data() -> None:
    """The method writes it too."""
    scene = Scene()
    await scene.attach(1)
    buffer = bytearray(CONTEXT)
    assert scene.hook.invoke_now(buffer, data=b"data") == 7
    assert Number.unpack(bytes(buffer)).number == 8


@pytest.mark.parametrize("named", [{}, {"data": b"data"}])
async def test_a_run_that_fails_raises_its_code(named: Mapping[str, Any]) -> None:
    """And leaves in a buffer what it wrote before."""
    scene = Scene(budget=4)
    await scene.attach(1)
    buffer = bytearray(CONTEXT)
    with pytest.raises(EbpfdError) as failed:
        scene.hook.invoke_now(buffer, **named)
    assert failed.value.code is Result.TIMEOUT
    assert Number.unpack(bytes(buffer)).number == 8
    assert scene.hook.counters.invocations == 1


async def test_what_the_links_user_chose_is_for_answers_alone() -> None:
    """An event that is invoked at once has no answer when it fails, but an error."""
    scene = Scene(budget=4, policy=LinkPolicy(timeout=77))
    await scene.attach(1)
    answer = await scene.hook.invoke(CONTEXT)
    assert (answer.code, answer.result) == (Result.TIMEOUT, 77)
    columns = await scene.hook.invoke_batch(CONTEXT * 2)
    assert list(columns.numbers) == [77, 77]
    assert _refused(scene.hook).code is Result.TIMEOUT
    assert scene.hook.counters.invocations == 4


async def test_a_second_link_makes_it_a_chain_and_no_third_thing() -> None:
    """The daemon runs it; whoever has kept the function is told so too, and goes on afterwards."""
    scene = Scene(AttachCapability.MULTI_ATTACH_WITH_WILDCARD)
    await scene.attach(1)
    kept = scene.hook.invoke_now
    await scene.attach(2)
    assert not scene.stands_in()
    for now in (kept, scene.hook.invoke_now):
        with pytest.raises(EbpfdError, match="several links are attached") as refused:
            now(CONTEXT)
        assert refused.value.code is Result.OPERATION_NOT_SUPPORTED
    await scene.provider.detach(2)
    assert scene.stands_in()
    assert [kept(CONTEXT), scene.hook.invoke_now(CONTEXT)] == [7, 7]
    assert scene.gates[0].counters().runs == 2
    assert scene.gates[1].counters().runs == 0


async def test_links_of_other_events_change_nothing() -> None:
    """An event without parameter reaches wildcards, and of ONE_PER_PARAMETER the first link."""
    scene = Scene(AttachCapability.MULTI_ATTACH_WITH_WILDCARD)
    await scene.attach(1, b"a")
    assert not scene.stands_in()
    assert _refused(scene.hook).code is Result.OBJECT_NOT_FOUND
    await scene.attach(2)
    assert scene.stands_in()
    buffer = bytearray(CONTEXT)
    scene.hook.invoke_now(buffer)
    assert Number.unpack(bytes(buffer)).number == 9
    with pytest.raises(EbpfdError, match="several links"):
        scene.hook.invoke_now(CONTEXT, parameter=b"a")

    scene = Scene()
    for binding, parameter in ((1, b"a"), (2, b"b")):
        await scene.attach(binding, parameter)
    assert scene.stands_in()
    buffer = bytearray(CONTEXT)
    scene.hook.invoke_now(buffer)
    assert Number.unpack(bytes(buffer)).number == 8
    scene.hook.invoke_now(buffer, parameter=b"b")
    assert Number.unpack(bytes(buffer)).number == 10


async def test_a_program_that_is_taken_back_is_the_daemons() -> None:
    """Nothing tells the process but the gate."""
    scene = Scene()
    await scene.attach(1)
    kept = scene.hook.invoke_now
    assert kept(CONTEXT) == 7
    scene.gates[0].close()
    for now in (kept, scene.hook.invoke_now, kept):
        with pytest.raises(EbpfdError, match="link 1: the daemon has taken it back; await") as gone:
            now(CONTEXT)
        assert gone.value.code is Result.OPERATION_NOT_SUPPORTED
    assert not scene.stands_in()
    assert scene.hook.counters.invocations == 1


async def test_a_link_that_comes_again_is_run_again() -> None:
    """What it counted before stays counted."""
    scene = Scene()
    await scene.attach(1)
    kept = scene.hook.invoke_now
    scene.gates[0].close()
    await scene.provider.detach(1)
    assert _refused(scene.hook).code is Result.OBJECT_NOT_FOUND
    await scene.attach(5)
    assert scene.stands_in()
    assert scene.hook.invoke_now(CONTEXT) == 7
    buffer = bytearray(CONTEXT)
    kept(buffer)
    assert Number.unpack(bytes(buffer)).number == 12, "the new link's program, by the long way"
    assert scene.hook.counters.invocations == 2


async def test_a_link_in_the_daemon_has_no_function() -> None:
    """The error says why it is there."""
    scene = Scene(remote=True)
    await scene.attach(1)
    assert not scene.stands_in()
    assert "link 1: it stays there" in str(_refused(scene.hook))


async def test_without_the_daemon_nothing_runs_and_then_it_does_again() -> None:
    """Whoever has kept the function may keep it."""
    scene = Scene()
    await scene.attach(1)
    kept = scene.hook.invoke_now
    assert kept(CONTEXT) == 7
    scene.provider.lost("the daemon is gone")
    scene.provider.close("the daemon is gone")
    assert not scene.stands_in()
    for now in (kept, scene.hook.invoke_now):
        with pytest.raises(EbpfdError, match="the daemon is gone") as lost:
            now(CONTEXT)
        assert lost.value.code is Result.CANCELED
    scene.connect()
    assert _refused(scene.hook).code is Result.OBJECT_NOT_FOUND
    await scene.attach(2)
    assert scene.stands_in()
    assert [kept(CONTEXT), scene.hook.invoke_now(CONTEXT)] == [7, 7]
    assert scene.hook.counters.invocations == 3


async def test_a_method_of_ones_own_stays() -> None:
    """It may do more than the event."""

    class Noted(Hook[Number]):
        noted = 0

        def invoke_now(self, context: object = None, **named: object) -> int:
            self.noted += 1
            return super().invoke_now(context, **named)  # type: ignore[arg-type]

    scene = Scene()
    scene.hook = Noted("0a0c5f2f-59a7-4d53-9c5b-1f3f6c1e7b11", scene.hook.program_type)
    scene.connect()
    await scene.attach(1)
    assert not scene.stands_in()
    assert scene.hook.invoke_now(CONTEXT) == 7
    assert vars(scene.hook)["noted"] == 1


async def test_a_hook_is_collected_with_its_function() -> None:
    """They know each other."""
    scene = Scene()
    await scene.attach(1)
    gone = weakref.ref(scene.hook)
    del scene
    gc.collect()
    assert gone() is None
