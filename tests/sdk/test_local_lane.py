"""Lanes whose program comes to this process while events are on their way to the daemon."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, cast

from ebpfd_sdk import U32, Context, Result
from ebpfd_sdk._answer import Answer
from ebpfd_sdk._batch import Columns, Pending
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._lane import Lane
from ebpfd_sdk._local import LocalProgram
from ebpfd_sdk._policy import Fallback, LinkPolicy
from ebpfd_sdk._request import target_of
from ebpfd_sdk._traffic import Traffic


class Number(Context):
    """What each event is."""

    number: U32 = 0
    first: U32 = 0
    second: U32 = 0
    third: U32 = 0


HERE: Final = 1
THERE: Final = 2
"""The result says where an event ran."""


@dataclass
class Scene:
    """A lane, what it sends, and the program that runs here."""

    ran: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Where which event ran, in order."""

    sent: list[Pending] = field(default_factory=list[Pending])
    taken_back: bool = False

    def __post_init__(self) -> None:
        fallback = Fallback(LinkPolicy(), 0)
        streams = cast("DataStreams", self)
        self.lane = Lane(target_of((1,)), Number, fallback, Traffic(), streams)
        self.program = cast("LocalProgram[Number]", self)

    @property
    def short(self) -> "Scene":
        """Stands in for its stream too."""
        return self

    def wake(self, lane: Lane[Number]) -> None:
        """The lane has something to send."""

    def run(self, contexts: bytes, count: int, *_: object) -> Columns | None:
        """Run a batch here."""
        if self.taken_back:
            return None
        return self._ran(HERE, contexts, count)

    def event(self, number: int) -> "asyncio.Future[Answer[Number]]":
        """An event."""
        return self.lane.invoke(Number(number=number).pack(), b"")

    def send(self) -> None:
        """The stream takes what it may."""
        while taken := self.lane.take(len(self.sent)):
            self.sent.append(taken[0])

    def answer(self) -> None:
        """The daemon answers what was sent first."""
        pending = self.sent.pop(0)
        batch = pending.packed()
        assert batch is not None
        self.lane.settle(pending, self._ran(THERE, bytes(batch.contexts), batch.count))

    def _ran(self, where: int, contexts: bytes, count: int) -> Columns:
        for at in range(0, len(contexts), len(contexts) // count):
            self.ran.append((where, int.from_bytes(contexts[at : at + 4], "little")))
        results = count * where.to_bytes(4, "little")
        return Columns(Result.SUCCESS, "", bytes(count), results)


async def test_what_is_on_its_way_is_answered_first() -> None:
    """Then what waits runs here, in its order; nothing more is sent meanwhile."""
    scene = Scene()
    first = scene.event(1)
    scene.send()
    second = scene.event(2)
    moved = asyncio.ensure_future(scene.lane.move_to(scene.program))
    await asyncio.sleep(0)
    third = scene.event(3)
    scene.send()
    assert (len(scene.sent), moved.done()) == (1, False)
    scene.answer()
    await moved
    assert [(await each).result for each in (first, second, third)] == [THERE, HERE, HERE]
    assert scene.ran == [(THERE, 1), (HERE, 2), (HERE, 3)]
    assert scene.lane.local is scene.program
    await scene.lane.drained()


async def test_an_idle_lane_moves_at_once() -> None:
    """And runs batches here too."""
    scene = Scene()
    await scene.lane.move_to(scene.program)
    message = scene.lane.message()
    answer: asyncio.Future[Answer[Number]] = asyncio.get_running_loop().create_future()
    message.add(Number(number=4).pack(), b"", answer)
    scene.lane.queue(message)
    assert (await answer).result == HERE


async def test_what_was_taken_back_before_it_came_goes_to_the_daemon() -> None:
    """What waits is sent after all."""
    scene = Scene()
    scene.event(1)
    scene.send()
    moved = asyncio.ensure_future(scene.lane.move_to(scene.program))
    await asyncio.sleep(0)
    second = scene.event(2)
    scene.taken_back = True
    scene.answer()
    await moved
    scene.send()
    scene.answer()
    assert (await second).result == THERE
    assert scene.lane.local is None


async def test_who_has_cancelled_does_not_run() -> None:
    """Neither here nor there."""
    scene = Scene()
    scene.event(1)
    scene.send()
    moved = asyncio.ensure_future(scene.lane.move_to(scene.program))
    await asyncio.sleep(0)
    scene.event(2).cancel()
    scene.answer()
    await moved
    assert scene.ran == [(THERE, 1)]
    await scene.lane.drained()


async def test_a_stream_that_is_lost_ends_the_move() -> None:
    """What was on its way is answered with CANCELED."""
    scene = Scene()
    waiting = scene.event(1)
    scene.send()
    moved = asyncio.ensure_future(scene.lane.move_to(scene.program))
    await asyncio.sleep(0)
    second = scene.event(2)
    scene.sent[0].settle(Columns(Result.CANCELED, "gone"))
    scene.lane.lose("gone")
    await moved
    assert {(await each).code for each in (waiting, second)} == {Result.CANCELED}
