"""Invocations: gathered, bounded, in order, and nobody's cancellation but one's own."""

import asyncio
import ctypes
import struct
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from ebpfd_api.v1 import hook_pb2
from ebpfd_api.v1.contract_pb2 import LinkPolicy
from ebpfd_sdk import (
    U16,
    U32,
    U64,
    Answer,
    AttachCapability,
    Columns,
    Context,
    Data,
    DataEnd,
    DeclarationError,
    EbpfdError,
    Extension,
    Hook,
    Link,
    Origin,
    ProgramType,
    Result,
)
from ebpfd_sdk._batch import LARGEST_BYTES, MOST_CONTEXTS
from ebpfd_sdk._lane import BESIDE_SHORT_BYTES, LONG_BYTES, WINDOW
from ebpfd_sdk._policy import LinkPolicy as SdkPolicy
from tests.sdk.conftest import Scene
from tests.sdk.parcels import Parcel, declare


async def test_one_turn_is_one_message(scene: Scene) -> None:
    """All invocations of one turn of the event loop travel together, in order."""
    async with scene.extension():
        await scene.daemon.link()
        answers = await asyncio.gather(*(scene.hook.invoke(Parcel(weight=n)) for n in range(64)))
    assert list(range(64)) == [answer.result for answer in answers]
    assert [request.count for request in scene.daemon.requests] == [64]
    counters = scene.hook.counters
    assert (counters.invocations, counters.messages_sent, counters.messages_received) == (64, 1, 1)


async def test_what_is_no_context_is_refused_at_once(scene: Scene) -> None:
    """And the error says what must be given."""
    wrong: Any = {"weight": 7}
    async with scene.extension():
        await scene.daemon.link()
        with pytest.raises(TypeError, match=r"Parcel or bytes must be given, not dict"):
            scene.hook.invoke(wrong)


class Bigger(Context):
    """Another context, which is longer."""

    first: U64 = 0
    second: U64 = 0
    third: U64 = 0
    fourth: U64 = 0


class Alike(Context):
    """Another context, of the same size."""

    data_start: Data = 0
    data_end: DataEnd = 0
    shelf: U32 = 0
    weight: U16 = 0


class Fragile(Parcel):
    """A parcel with one method more."""

    def drop(self) -> None:
        """Break."""
        self.weight = 0


@pytest.mark.parametrize("kind", [Bigger, Alike])
async def test_a_context_of_another_class_is_refused_at_once(
    scene: Scene, kind: type[Context]
) -> None:
    """However many bytes it has; the session goes on, and so does what shares its message."""
    other: Any = kind()
    async with scene.extension():
        await scene.daemon.link()
        good, batch = scene.hook.invoke(Fragile(weight=7)), scene.hook.batch_begin()
        for call in (scene.hook.invoke, scene.hook.invoke_now, batch.invoke):
            with pytest.raises(
                TypeError, match=rf"^Parcel or bytes must be .*, not {kind.__name__}$"
            ):
                call(other)
            with pytest.raises(ValueError, match=r"^Parcel takes 24 bytes, not 32$"):
                call(bytes(32))
        assert (await good).context.weight == 7


async def test_data_travels_in_columns(scene: Scene) -> None:
    """Contexts, data and lengths are columns of the message."""
    async with scene.extension():
        await scene.daemon.link()
        await asyncio.gather(
            scene.hook.invoke(Parcel(weight=1), data=b"abc"), scene.hook.invoke(data=b"de")
        )
    request = scene.daemon.requests[0]
    assert Parcel(weight=1).pack() + Parcel().pack() == request.contexts
    assert request.data == b"abcde"
    assert bytes.fromhex("03000000 02000000") == request.data_lengths


async def test_what_programs_changed_comes_back(scene: Scene) -> None:
    """Changed columns are cut for each invocation; unchanged ones are as they were sent."""

    def change(request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
        return hook_pb2.InvokeResponse(
            sequence=request.sequence,
            codes=bytes([0, Result.TIMEOUT]),
            results=bytes(8),
            contexts=Parcel(weight=5).pack() + Parcel(weight=6).pack(),
            data=request.data.upper(),
        )

    scene.daemon.reply = change
    async with scene.extension():
        await scene.daemon.link()
        first, second = await asyncio.gather(
            scene.hook.invoke(data=b"abc"), scene.hook.invoke(data=b"de")
        )
    assert (first.code, first.context.weight, first.data) == (Result.SUCCESS, 5, b"ABC")
    assert (second.code, second.context.weight, second.data) == (Result.TIMEOUT, 6, b"DE")


async def test_unchanged_contexts_are_as_sent(scene: Scene) -> None:
    """An empty column means that nothing changed."""
    async with scene.extension():
        await scene.daemon.link()
        answer = await scene.hook.invoke(Parcel(weight=3), data=b"abc")
    assert (answer.context.weight, answer.data) == (3, b"abc")


async def test_messages_in_flight_are_bounded(scene: Scene) -> None:
    """Beyond the window invocations wait, and then leave as one message."""
    async with scene.extension():
        await scene.daemon.link()
        scene.daemon.gate.clear()
        waiting: list[asyncio.Future[Answer[Parcel]]] = []
        for _ in range(WINDOW):
            waiting.append(scene.hook.invoke())
            await scene.request(len(waiting))
        waiting += [scene.hook.invoke() for _ in range(10)]
        await scene.round_trip()
        assert len(scene.daemon.requests) == WINDOW
        scene.daemon.gate.set()
        await asyncio.gather(*waiting)
    assert [request.count for request in scene.daemon.requests] == [1] * WINDOW + [10]


async def test_long_turns_are_split(scene: Scene) -> None:
    """More invocations than a message takes become several messages, in order."""
    async with scene.extension():
        await scene.daemon.link()
        count = 2 * MOST_CONTEXTS + 1
        await asyncio.gather(*(scene.hook.invoke(Parcel(weight=n)) for n in range(count)))
    assert [each.count for each in scene.daemon.requests] == [MOST_CONTEXTS, MOST_CONTEXTS, 1]
    assert Parcel(weight=count - 1).pack() == scene.daemon.requests[-1].contexts


async def test_a_cancelled_waiter_is_alone(scene: Scene) -> None:
    """Cancelling one waiter in flight leaves the others and the stream as they are."""
    async with scene.extension():
        await scene.daemon.link()
        scene.daemon.gate.clear()
        first, second = scene.hook.invoke(), scene.hook.invoke()
        await scene.request(1)
        first.cancel()
        scene.daemon.gate.set()
        assert (await second).result == 1
        assert Result.SUCCESS is (await scene.hook.invoke()).code
    assert first.cancelled()


async def test_what_is_cancelled_in_time_is_not_sent(scene: Scene) -> None:
    """An invocation that nobody waits for any more does not leave."""
    async with scene.extension():
        await scene.daemon.link()
        first, second = scene.hook.invoke(Parcel(weight=1)), scene.hook.invoke(Parcel(weight=2))
        first.cancel()
        await second
        alone = scene.hook.invoke()
        alone.cancel()
        await scene.round_trip()
    assert [Parcel(weight=2).pack()] == [request.contexts for request in scene.daemon.requests]


async def test_long_messages_leave_room_for_short_ones(scene: Scene) -> None:
    """Beside those little of each target is in flight, and alone the whole window."""
    async with scene.extension():
        await scene.daemon.link(b"short")
        await scene.daemon.link(b"long")
        batch = Parcel().pack() * 1000
        room = BESIDE_SHORT_BYTES // len(batch)

        def send() -> list[asyncio.Future[Columns]]:
            return [scene.hook.invoke_batch(batch, parameter=b"long") for _ in range(WINDOW)]

        scene.daemon.gate.clear()
        alone = send()
        await scene.request(WINDOW)
        scene.daemon.gate.set()
        await asyncio.gather(*alone)

        scene.daemon.gate.clear()
        short = scene.hook.invoke(parameter=b"short")
        beside = send()
        await scene.request(WINDOW + 1 + room)
        await scene.round_trip()
        assert len(scene.daemon.requests) == WINDOW + 1 + room
        scene.daemon.gate.set()
        await asyncio.gather(short, *beside)
        assert len(scene.daemon.requests) == 2 * WINDOW + 1


async def test_a_late_timeout_does_not_end_the_stream(scene: Scene) -> None:
    """A user's timeout touches only the future."""
    async with scene.extension():
        await scene.daemon.link()
        scene.daemon.gate.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scene.hook.invoke(), 0)
        scene.daemon.gate.set()
        assert Result.SUCCESS is (await scene.hook.invoke()).code


async def test_a_deadline_is_an_answer(scene: Scene) -> None:
    """TIMEOUT with the link's result, of an event and of a batch; the stream goes on."""
    scene.kind.default_result = 9
    hook, extension = chained(scene)
    async with extension:
        await scene.daemon.link()
        scene.daemon.gate.clear()
        single = hook.invoke(Parcel(weight=3), deadline_s=0.01)
        batch = hook.invoke_batch(count=2, deadline_s=0.01)
        answer, columns = await asyncio.gather(single, batch)
        assert (answer.code, answer.result, answer.context.weight) == (Result.TIMEOUT, 9, 3)
        assert (columns.code, columns.failure_result) == (Result.TIMEOUT, 9)
        assert answer.message == columns.message == "no answer came in 0.01 s"
        scene.daemon.gate.set()
        assert (await hook.invoke(deadline_s=60)).code is Result.SUCCESS


async def test_the_daemon_is_told_of_deadlines(scene: Scene) -> None:
    """The latest of a message's events, if each of them has one."""
    async with scene.extension():
        await scene.daemon.link()
        alone = scene.hook.invoke(deadline_s=60), scene.hook.invoke(deadline_s=30)
        await scene.request(1)
        mixed = scene.hook.invoke(deadline_s=60), scene.hook.invoke()
        await scene.request(2)
        bulk = scene.hook.invoke_batch(count=2, deadline_s=10)
        await asyncio.gather(*alone, *mixed, bulk)
        first, second, third = scene.daemon.requests
        assert 30_000 < first.deadline_ms <= 60_000
        assert second.deadline_ms == 0
        assert 0 < third.deadline_ms <= 10_000


async def test_the_daemon_is_told_of_origins(scene: Scene) -> None:
    """Events of one turn share a message only if the same process has caused them."""
    async with scene.extension():
        await scene.daemon.link()
        a, also_a, b = Origin(7, 8), Origin(7, 8), Origin(7, 8, 0)
        turn = [
            scene.hook.invoke(Parcel(weight=weight), origin=origin)
            for weight, origin in enumerate((a, also_a, b, None, None, a))
        ]
        within = scene.hook.invoke(deadline_s=60, origin=b)
        bulk = scene.hook.invoke_batch(count=2, origin=a)
        answers = await asyncio.gather(*turn, within)
        assert [answer.context.weight for answer in answers] == [0, 1, 2, 3, 4, 5, 0]
        assert (await bulk).code is Result.SUCCESS
        told = [
            (each.count, said.pid, said.tid, said.HasField("uid"))
            for each in scene.daemon.requests
            for said in [each.origin]
        ]
        one_of_a, one_of_b = (7, 8, False), (7, 8, True)
        assert told == [
            (2, *one_of_a),
            (1, *one_of_b),
            (2, 0, 0, False),
            (1, *one_of_a),
            (1, *one_of_b),
            (2, *one_of_a),
        ]
        assert not scene.daemon.requests[2].HasField("origin")


@pytest.mark.parametrize("numbers", [(-1, 0), (0, 2**32), (1, 1, -1), (1, 1, 2**32)])
def test_what_is_no_origin_is_refused(numbers: tuple[int, ...]) -> None:
    """As it is made, not when the message is."""
    with pytest.raises(ValueError, match=r"is no number of 32 bits$"):
        Origin(*numbers)


@pytest.mark.parametrize("deadline_s", [-1, float("nan"), float("inf"), 5e6])
async def test_what_is_no_deadline_is_refused(scene: Scene, deadline_s: float) -> None:
    """Nothing is sent."""
    async with scene.extension():
        await scene.daemon.link()
        for invoke in (scene.hook.invoke, scene.hook.invoke_batch):
            with pytest.raises(ValueError, match=r"^deadline_s: .* seconds from 0 to 4294967$"):
                invoke(deadline_s=deadline_s)
        assert (await scene.hook.invoke()).code is Result.SUCCESS
        assert scene.hook.counters.messages_sent == 1


async def test_replies_may_come_in_another_order(scene: Scene) -> None:
    """Replies find their message by its number."""
    async with scene.extension():
        await scene.daemon.link(b"a")
        await scene.daemon.link(b"b")
        held: list[hook_pb2.InvokeResponse] = []
        reply = scene.daemon.reply

        def hold(request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
            held.append(reply(request))
            return hook_pb2.InvokeResponse(sequence=1 << 40)  # no message waits for it

        scene.daemon.reply = hold
        slow, quick = scene.hook.invoke(parameter=b"a"), scene.hook.invoke(parameter=b"b")
        await scene.request(2)
        await scene.until(lambda: len(held) == 2)
        for each in reversed(held):
            each.results = each.sequence.to_bytes(4, "little")
            scene.daemon.send(each)
        assert [(await slow).result, (await quick).result] == [1, 2]


async def test_the_parameter_selects_the_link(scene: Scene) -> None:
    """A parameter names its link; none means the link that came first."""
    async with scene.extension():
        first, second = await scene.daemon.link(b"a"), await scene.daemon.link(b"b")
        await scene.hook.invoke(parameter=b"b")
        await scene.hook.invoke()
    assert [second, first] == [request.binding for request in scene.daemon.requests]


async def test_nobody_is_an_answer_too(scene: Scene) -> None:
    """No link at all, and no link with that parameter, have codes of their own."""
    async with scene.extension():
        assert Result.OBJECT_NOT_FOUND is (await scene.hook.invoke(parameter=b"a")).code
        await scene.daemon.link(b"a")
        answer = await scene.hook.invoke(Parcel(weight=4), parameter=b"b")
        assert Result.KEY_NOT_FOUND is answer.code
        assert answer.context.weight == 4
        assert answer.message == "hook passing: nothing is attached with this parameter"
        columns = await scene.hook.invoke_batch(count=2, parameter=b"b")
        assert Result.KEY_NOT_FOUND is columns.code


@pytest.mark.parametrize(("chosen", "result"), [(9, 9), (0, 0), (None, 5)])
async def test_a_message_that_fails_has_the_result_that_its_link_says(
    scene: Scene, chosen: int | None, result: int
) -> None:
    """Refused or lost: what its user wants, else the type's default; of a chain the first link's.

    What the daemon answered for one context is its own say.
    """
    scene.kind.default_result = 5
    hook, extension = chained(scene)
    full: dict[str, Any] = {"code": Result.NO_MEMORY, "message": "full"}
    async with extension:
        await scene.daemon.link(b"", 0, LinkPolicy(overload=chosen, lost=chosen))
        await scene.daemon.link(b"", 1, LinkPolicy(overload=77, lost=77))
        scene.daemon.reply = lambda request: hook_pb2.InvokeResponse(
            sequence=request.sequence, **full
        )
        answer = await hook.invoke()
        columns = await hook.invoke_batch(count=2)
        assert (answer.code, answer.result) == (Result.NO_MEMORY, result)
        assert (columns.code, columns.failure_result) == (Result.NO_MEMORY, result)
        full = {"codes": bytes([Result.TIMEOUT]), "results": (3).to_bytes(4, "little")}
        answer = await hook.invoke()
        assert (answer.code, answer.result) == (Result.TIMEOUT, 3)
        scene.daemon.gate.clear()
        lost = hook.invoke()
        await scene.request(4)
        scene.daemon.hang_up()
        answer = await lost
        assert (answer.code, answer.result) == (Result.CANCELED, result)
        scene.daemon.gate.set()


async def test_the_daemon_says_what_becomes_of_a_message_that_it_refuses(scene: Scene) -> None:
    """It knows the policy best; without its word it is the one that the link came with."""
    async with scene.extension():
        await scene.daemon.link(policy=LinkPolicy(error=4))
        said: dict[str, Any] = {"code": Result.FAILED, "failure_result": 0}
        scene.daemon.reply = lambda request: hook_pb2.InvokeResponse(
            sequence=request.sequence, **said
        )
        assert (await scene.hook.invoke()).result == 0
        assert (await scene.hook.invoke_batch(count=2)).failure_result == 0
        del said["failure_result"]
        assert (await scene.hook.invoke()).result == 4
        assert (await scene.hook.invoke_batch(count=2)).failure_result == 4


async def test_a_link_that_is_gone_leaves_the_hooks_default(scene: Scene) -> None:
    """Whatever its user had wanted: nothing is attached any more."""
    scene.kind.default_result = 5
    async with scene.extension():
        await scene.daemon.link(policy=LinkPolicy(error=6))
        scene.daemon.reply = lambda request: hook_pb2.InvokeResponse(
            sequence=request.sequence, code=Result.OBJECT_NOT_FOUND
        )
        assert (await scene.hook.invoke()).result == 5


async def test_a_policy_that_changes_holds_for_what_is_in_flight(scene: Scene) -> None:
    """The link is still the same to its author; of a binding that is gone nothing is known."""
    async with scene.extension():
        binding = await scene.daemon.link(policy=LinkPolicy(lost=4))
        (link,) = scene.hook.links
        scene.daemon.gate.clear()
        lost = scene.hook.invoke()
        await scene.request(1)
        await scene.daemon.describe(binding, LinkPolicy(lost=9, timeout=0))
        await scene.daemon.describe(binding + 1, LinkPolicy(lost=8))
        await scene.round_trip()
        (known,) = scene.hook.links
        assert (known, hash(known)) == (link, hash(link))
        assert (known.program_id, known.program_name) == (2, "other")
        assert known.policy == SdkPolicy(lost=9, timeout=0)
        scene.daemon.hang_up()
        assert ((await lost).code, (await lost).result) == (Result.CANCELED, 9)
        scene.daemon.gate.set()


async def test_a_loop_without_a_link_lets_others_run(scene: Scene) -> None:
    """Answers that need no message come in the next turn, so a busy loop starves nobody."""
    async with scene.extension():

        async def until_attached() -> None:
            while (await scene.hook.invoke()).code is not Result.SUCCESS:
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(until_attached())
            await scene.daemon.link()


async def test_batches_keep_their_columns(scene: Scene) -> None:
    """A packed batch travels and comes back as it is, in order with single invocations."""
    async with scene.extension():
        await scene.daemon.link()
        before = scene.hook.invoke(Parcel(weight=1))
        batch = scene.hook.invoke_batch(
            Parcel(weight=2).pack() * 3, count=3, data=b"abcdef", data_lengths=[1, 2, 3]
        )
        after = scene.hook.invoke(Parcel(weight=3))
        columns = await batch
        await asyncio.gather(before, after)
    assert [request.count for request in scene.daemon.requests] == [1, 3, 1]
    assert bytes.fromhex("01000000 02000000 03000000") == scene.daemon.requests[1].data_lengths
    assert Columns(Result.SUCCESS, "", bytes(3), columns.results) == columns
    assert scene.hook.counters.invocations == 5


async def test_long_messages_keep_no_short_ones_waiting(scene: Scene) -> None:
    """They have a stream of their own, which is opened for the first of them."""
    count = LONG_BYTES // len(Parcel().pack()) + 1
    async with scene.extension():
        await scene.daemon.link(b"a")
        await scene.daemon.link(b"b")
        await asyncio.gather(scene.hook.invoke(parameter=b"a"), scene.hook.invoke(parameter=b"b"))
        assert len(scene.daemon.session_ids) == 1
        for _ in range(2):
            await scene.hook.invoke_batch(Parcel().pack() * count, count=count, parameter=b"b")
            await scene.hook.invoke(parameter=b"a")
            assert len(scene.daemon.session_ids) == 2
    assert [request.count for request in scene.daemon.requests] == [1, 1, count, 1, count, 1]


async def test_a_long_message_overtakes_none_of_its_target(scene: Scene) -> None:
    """What is on its way is followed on its stream; with nothing there a lane may change."""
    count = LONG_BYTES // len(Parcel().pack()) + 1
    async with scene.extension():
        await scene.daemon.link()
        scene.daemon.gate.clear()
        short = scene.hook.invoke()
        await scene.request(1)
        long = scene.hook.invoke_batch(Parcel().pack() * count, count=count)
        await scene.request(2)
        assert len(scene.daemon.session_ids) == 1
        scene.daemon.gate.set()
        await asyncio.gather(short, long)
        await asyncio.gather(*(scene.hook.invoke() for _ in range(count)))
        assert len(scene.daemon.session_ids) == 2, "the last one was long, so this may be too"
        await asyncio.gather(*(scene.hook.invoke() for _ in range(3)))
        scene.daemon.hang_up()
        await scene.until(lambda: not scene.hook.links)
    assert [request.count for request in scene.daemon.requests] == [1, count, count, 3]


def records(contexts: bytes) -> Any:
    """An array of records, as NumPy's structured arrays are."""
    fields = [("weight", ctypes.c_uint8 * Parcel.layout.size)]
    record: Any = type("Record", (ctypes.LittleEndianStructure,), {"_fields_": fields})
    return (record * (len(contexts) // Parcel.layout.size)).from_buffer_copy(contexts)


def rows(contexts: bytes) -> Any:
    """An array of two dimensions of bytes."""
    size = Parcel.layout.size
    return memoryview(contexts).cast("B", (len(contexts) // size, size))


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, records, rows])
async def test_a_batch_is_any_buffer(scene: Scene, make: Callable[[bytes], Any]) -> None:
    """How many contexts it holds need not be said; lengths may be an array as well."""
    contexts = b"".join(Parcel(weight=n).pack() for n in range(3))
    async with scene.extension():
        await scene.daemon.link()
        columns = await scene.hook.invoke_batch(
            make(contexts),
            data=bytearray(b"abcdef"),
            data_lengths=array("H", [1, 2, 3]),
            meta_lengths=array("I", [0, 1, 0]),
        )
    (request,) = scene.daemon.requests
    assert (request.count, request.contexts, request.data) == (3, contexts, b"abcdef")
    assert request.data_lengths == struct.pack("<3I", 1, 2, 3)
    assert request.meta_lengths == struct.pack("<3I", 0, 1, 0)
    assert list(columns.numbers) == [0, 1, 2]


def test_a_buffer_that_is_no_batch_is_refused(scene: Scene) -> None:
    """With what is wrong with it; nothing has left."""
    size = Parcel.layout.size
    for wrong, problem in (
        (memoryview(bytes(4 * size))[::2], "contexts: the array has gaps"),
        (bytes(size + 1), f"{size + 1} bytes are no whole number of Parcel, which takes {size}"),
        (array("I", [0] * size), f"contexts: each has 4 bytes, and Parcel takes {size}"),
    ):
        with pytest.raises(ValueError, match=problem):
            scene.hook.invoke_batch(wrong)
    with pytest.raises(ValueError, match=r"lengths: .* they are numbers of 32 bits"):
        scene.hook.invoke_batch(data_lengths=[-1])


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        ({"code": Result.NO_MEMORY, "message": "full"}, Result.NO_MEMORY, "full"),
        ({"codes": b"", "results": b""}, Result.FAILED, "0 codes and 0 bytes of results"),
        ({"codes": b"\0", "results": b"123"}, Result.FAILED, "1 codes and 3 bytes of results"),
        (
            {"codes": b"\0", "results": bytes(4), "data": b"too long"},
            Result.FAILED,
            "data of another length",
        ),
        ({"codes": b"\xff", "results": bytes(4)}, Result.FAILED, ""),
    ],
)
async def test_bad_replies_are_failures(
    scene: Scene, reply: dict[str, bytes], code: Result, message: str
) -> None:
    """A refused message, or columns that do not fit it, answer every invocation in it."""
    scene.daemon.reply = lambda request: hook_pb2.InvokeResponse(
        sequence=request.sequence,
        **reply,  # type: ignore[arg-type]  # the table's values have their fields' types
    )
    async with scene.extension():
        await scene.daemon.link()
        answer = await scene.hook.invoke(data=b"abc")
    assert code is answer.code
    assert message in answer.message


async def test_a_lost_stream_cancels_what_is_in_flight(scene: Scene) -> None:
    """In flight or waiting: every invocation is answered with CANCELED; a new one finds no link."""
    async with scene.extension():
        await scene.daemon.link()
        scene.daemon.gate.clear()
        waiting: list[asyncio.Future[Answer[Parcel]]] = []
        for count in range(1, WINDOW + 1):
            waiting.append(scene.hook.invoke())
            await scene.request(count)
        waiting.append(scene.hook.invoke())
        scene.daemon.hang_up()
        answers = await asyncio.gather(*waiting)
        late = await scene.hook.invoke()
    assert {Result.CANCELED} == {answer.code for answer in answers}
    assert late.code in {Result.CANCELED, Result.OBJECT_NOT_FOUND}


def test_contexts_have_the_declared_size(scene: Scene) -> None:
    """Bytes of another size are refused before they travel."""
    with pytest.raises(ValueError, match="Parcel takes 24 bytes, not 23"):
        scene.hook.invoke(bytes(23))


async def test_data_that_no_event_has_is_its_callers_error(scene: Scene) -> None:
    """At the call; what others invoke in that turn is answered."""
    async with scene.extension():
        await scene.daemon.link()
        good, batch = scene.hook.invoke(data=bytes(65534)), scene.hook.batch_begin()
        for call in (scene.hook.invoke, batch.invoke):
            with pytest.raises(ValueError, match="65535 bytes: an event has at most 65534"):
                call(data=bytes(65535))
        assert (await good).code is Result.SUCCESS


async def test_an_event_whose_context_has_no_data_is_given_none() -> None:
    """The error names what the context would need."""

    class Number(Context):
        number: U64 = 0
        other: U64 = 0

    type_ = ProgramType("6d1f4e6a-30a5-4a86-9a41-6f1b8bb5c0d7", Number, name="number")
    hook = Hook("6d1f4e6b-30a5-4a86-9a41-6f1b8bb5c0d7", type_, name="numbers")
    for call in (hook.invoke, hook.batch_begin().invoke):
        with pytest.raises(ValueError, match="1 bytes: Number has no field of type Data,"):
            call(data=b"x")


async def test_a_hook_that_is_not_connected_cancels() -> None:
    """Before and after its extension's block a hook answers CANCELED."""
    _, hook = declare()
    assert Result.CANCELED is (await hook.invoke()).code


async def test_attached_waits_for_the_first_link(scene: Scene) -> None:
    """Waiting ends with the first link, and at once if there is one."""
    async with scene.extension():
        waiting = asyncio.create_task(scene.hook.attached())
        await scene.round_trip()
        assert not waiting.done()
        binding = await scene.daemon.link(b"x")
        assert binding == (await waiting).binding
        assert scene.hook.links == (await scene.hook.attached(),)


def chained(scene: Scene, **declared: Any) -> tuple[Hook[Parcel], Extension]:
    """A hook that takes many links, and its extension, not connected yet."""
    hook = Hook(
        scene.hook.guid,
        scene.kind,
        name="passing",
        capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD,
        **declared,
    )
    return hook, Extension(scene.kind, hook, address=scene.daemon.address)


async def test_several_links_are_one_message(scene: Scene) -> None:
    """The message names them in invocation order: the parameter's, then the wildcards."""
    hook, extension = chained(scene)
    async with extension:
        every = await scene.daemon.link()
        late = await scene.daemon.link(b"a", 7)
        first = await scene.daemon.link(b"a")
        await hook.invoke(parameter=b"a")
        await hook.invoke(parameter=b"b")
        await hook.invoke()
        await hook.invoke_batch(count=2, parameter=b"a", only=lambda link: link.binding != first)
    chain, *alone, less = scene.daemon.requests
    assert [first, late, every] == list(chain.chain.bindings)
    assert [every, every] == [request.binding for request in alone]
    assert [late, every] == list(less.chain.bindings)


async def test_an_event_that_concerns_no_link(scene: Scene) -> None:
    """Whoever is skipped does not count: all skipped is OBJECT_NOT_FOUND, as is nobody there."""
    scene.kind.default_result = 5
    hook, extension = chained(scene)
    async with extension:
        nobody = await hook.invoke(parameter=b"a")
        await scene.daemon.link(b"a")
        skipped = await hook.invoke(parameter=b"a", only=lambda link: not link.parameter)
    assert (nobody.code, nobody.result) == (Result.OBJECT_NOT_FOUND, 5)
    assert (skipped.code, skipped.result) == (Result.OBJECT_NOT_FOUND, 5)
    assert skipped.message == "hook passing: the event concerns no link"
    assert scene.daemon.requests == []


async def test_detach_waits_for_chains_too(scene: Scene) -> None:
    """A link is let go when every message that names it is answered; later ones do not name it."""
    hook, extension = chained(scene)
    async with extension:
        first, second = await scene.daemon.link(), await scene.daemon.link()
        scene.daemon.gate.clear()
        started = hook.invoke()
        await scene.request(1)
        detaching = asyncio.create_task(scene.daemon.detach(first))
        await scene.until(lambda: f"detach {first}" in scene.daemon.journal)
        await scene.round_trip()
        after = hook.invoke()
        await scene.request(2)
        assert not detaching.done()
        scene.daemon.gate.set()
        await asyncio.gather(detaching, started, after)
    assert [first, second] == list(scene.daemon.requests[0].chain.bindings)
    assert scene.daemon.requests[1].binding == second


async def test_a_hook_offers_its_rules(scene: Scene) -> None:
    """The daemon learns capability and wildcards, so that it can show the order."""
    hook, extension = chained(scene, wildcards=(b"", bytes(4)))
    async with extension:
        said = scene.daemon.registered[scene.daemon.hook].characteristics.attach_provider_data
        await scene.daemon.link(bytes(4))
        await hook.invoke(parameter=b"any")
    assert int(said.capability) == AttachCapability.MULTI_ATTACH_WITH_WILDCARD
    assert list(said.wildcards) == [b"", bytes(4)]
    assert len(scene.daemon.requests) == 1


def test_a_contradiction_is_a_wrong_declaration(scene: Scene) -> None:
    """Wildcards need a capability that knows them, and a hook must say whom it takes."""
    with pytest.raises(DeclarationError, match="ONE_PER_PARAMETER there are no wildcards"):
        Hook(scene.hook.guid, scene.kind, wildcards=(b"",))
    with pytest.raises(DeclarationError, match="must be one that says whom it takes"):
        Hook(scene.hook.guid, scene.kind, capability=AttachCapability.UNSPECIFIED)


async def test_a_batch_is_answered_as_its_invocations_are(scene: Scene) -> None:
    """batch_begin, batch_invoke, batch_end: one message for all that reach the same link."""
    async with scene.extension():
        await scene.daemon.link(b"a")
        await scene.daemon.link(b"b")
        async with scene.hook.batch_begin() as batch:
            answers = [
                batch.invoke(Parcel(weight=1), data=b"abc", parameter=b"a"),
                batch.invoke(Parcel(weight=2), parameter=b"b"),
                batch.invoke(Parcel(weight=3).pack(), data=b"d", parameter=b"a"),
                batch.invoke(parameter=b"c"),
            ]
            await scene.round_trip()
            assert scene.daemon.requests == []
            answers[1].cancel()
        assert [answer.done() for answer in answers] == [True] * 4
        assert [answers[0].result().result, answers[2].result().result] == [0, 1]
        assert answers[3].result().code is Result.KEY_NOT_FOUND
        await batch.end()
        with pytest.raises(EbpfdError, match="the batch has ended"):
            batch.invoke()
    (request,) = scene.daemon.requests
    assert request.contexts == Parcel(weight=1).pack() + Parcel(weight=3).pack()
    assert (request.count, request.data) == (2, b"abcd")


async def test_a_large_batch_is_still_one_message(scene: Scene) -> None:
    """It is the author who says where it ends; what no message carries is refused."""
    async with scene.extension():
        await scene.daemon.link()
        async with scene.hook.batch_begin() as batch:
            answers = [batch.invoke() for _ in range(MOST_CONTEXTS + 1)]
            full = bytes(65534)
            filled = [batch.invoke(data=full) for _ in range(LARGEST_BYTES // len(full) - 1)]
            with pytest.raises(ValueError, match="use smaller batches"):
                batch.invoke(data=full)
        assert answers[-1].result().result == MOST_CONTEXTS
    counts = [request.count for request in scene.daemon.requests]
    assert counts == [MOST_CONTEXTS + 1 + len(filled)]


async def test_a_batch_has_one_origin(scene: Scene) -> None:
    """All that it holds was caused by whom its begin names, at each of its targets."""
    async with scene.extension():
        await scene.daemon.link(b"a")
        await scene.daemon.link(b"b")
        for origin in (Origin(7, 8, 9), None):
            async with scene.hook.batch_begin(origin=origin) as batch:
                for parameter in (b"a", b"b", b"a"):
                    batch.invoke(parameter=parameter)
    told = [
        (each.count, each.HasField("origin"), each.origin.pid, each.origin.tid, each.origin.uid)
        for each in scene.daemon.requests
    ]
    caused, not_said = (True, 7, 8, 9), (False, 0, 0, 0)
    assert told == [(2, *caused), (1, *caused), (2, *not_said), (1, *not_said)]


async def test_an_answer_awaited_before_the_batch_has_ended_is_an_error(scene: Scene) -> None:
    """Of whoever would end it; another task may wait, and after end() so may the block."""
    async with scene.extension():
        await scene.daemon.link()
        with pytest.raises(EbpfdError, match="awaited before the batch has ended: leave its block"):
            async with scene.hook.batch_begin() as batch:
                await batch.invoke()
        async with scene.hook.batch_begin() as batch:
            answer = batch.invoke()
            other = asyncio.create_task(asyncio.wait_for(answer, 10))
            await asyncio.sleep(0)
            await batch.end()
            assert (await answer).code is Result.SUCCESS
        assert (await other).code is Result.SUCCESS
        assert (await answer).code is Result.SUCCESS


async def test_a_batch_that_fails_runs_nothing(scene: Scene) -> None:
    """An exception in the author's block ends the batch without running it."""
    answers: list[asyncio.Future[Answer[Parcel]]] = []

    async def author() -> None:
        async with scene.hook.batch_begin() as batch:
            answers.append(batch.invoke())
            raise KeyError("shelf")

    async with scene.extension():
        await scene.daemon.link()
        with pytest.raises(KeyError):
            await author()
        await scene.round_trip()
        assert [answer.cancelled() for answer in answers] == [True]
        assert scene.daemon.requests == []


async def test_a_batch_whose_filter_fails_runs_nothing(scene: Scene) -> None:
    """Nobody waits for the answers for ever."""

    def broken(_: Link) -> bool:
        raise KeyError("shelf")

    async with scene.extension(), asyncio.timeout(10):
        await scene.daemon.link()
        batch = scene.hook.batch_begin()
        answers = [batch.invoke(), batch.invoke(only=broken)]
        with pytest.raises(KeyError):
            await batch.end()
        assert [answer.cancelled() for answer in answers] == [True, True]
        await scene.round_trip()
        assert scene.daemon.requests == []


async def test_who_waits_for_a_link_no_longer_is_forgotten(scene: Scene) -> None:
    """An extension may ask again and again, and no link may ever come."""
    waiting = asyncio.create_task(scene.hook.attached())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not scene.hook._state.arrivals  # pyright: ignore[reportPrivateUsage]


def test_the_state_of_a_batch_has_its_size(scene: Scene) -> None:
    """state_size below 64 is INVALID_ARGUMENT, as in eBPF for Windows."""
    for size in (0, 63):
        with pytest.raises(EbpfdError) as caught:
            scene.hook.batch_begin(size)
        assert caught.value.code is Result.INVALID_ARGUMENT
    scene.hook.batch_begin(64)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "text"}, "data must be bytes, not str"),
        ({"data": array("I", [1, 2])}, "data must be bytes, not array"),
        ({"parameter": "eth0"}, "parameter must be bytes, not str"),
    ],
)
async def test_what_is_no_bytes_is_its_callers_error(
    scene: Scene, given: dict[str, Any], message: str
) -> None:
    """At the call, which it names; what others invoke in that turn is answered."""
    async with scene.extension():
        await scene.daemon.link()
        good, batch = scene.hook.invoke(), scene.hook.batch_begin()
        for call in (scene.hook.invoke, scene.hook.invoke_now, batch.invoke):
            with pytest.raises(TypeError, match=rf"^{message}$"):
                call(**given)
        assert (await good).code is Result.SUCCESS


async def test_a_deadline_of_no_time_is_timeout(scene: Scene) -> None:
    """At once, and nothing is sent; what is no number is no deadline."""
    wrong: Any = "soon"
    async with scene.extension():
        await scene.daemon.link()
        assert (await scene.hook.invoke(deadline_s=0)).code is Result.TIMEOUT
        assert (await scene.hook.invoke_batch(count=2, deadline_s=0)).code is Result.TIMEOUT
        with pytest.raises(TypeError, match="deadline_s must be a number of seconds, not str"):
            scene.hook.invoke(deadline_s=wrong)
        assert scene.hook.counters.messages_sent == 0
