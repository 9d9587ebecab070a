"""Links whose hook's process runs their programs itself: begun, counted, and ended for sure.

The process gets the program's image, with all that it leads to, the files of its maps, and gates;
the daemon stays in charge.  A link that is to be run there no more has its gate closed first.  When
nobody is inside, or the process has ended, what it counted is final.  A process that stays inside
is left behind with memory that is nobody's: the maps move.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.helpers import HelperCalls
from ebpfd.host.invocation import Target
from ebpfd.host.local_images import LocalImage, image_of, refusal
from ebpfd.host.local_process import LocalProcess
from ebpfd.host.modules import AttentiveModule, Module
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.services import Services
from ebpfd.host.targets import Targets
from ebpfd.objects import Link, MapObject, Program, Rundown
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

if TYPE_CHECKING:
    from ebpfd_vm.sharing import Gate

MOST_INSIDE: Final = 1_000_000
"""Runs of one process at once that anybody is told of."""

_LOOK_S: Final = (0.0, 0.001, 0.005, 0.02)
"""How long after one another a gate is looked at; the last for as long as it takes."""

_AGAIN_S: Final = 0.02
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True, eq=False)
class LocalRun:
    """One link's program in one process."""

    link: Link
    image: LocalImage
    process: LocalProcess
    gates: "tuple[Gate, ...]"
    """Of each program of the image; that of the link's is for all of them."""

    lane: int | None
    """The process's, if the program has values of its own in per-CPU maps."""

    helper_s: float
    """What a helper may take at most."""

    uses: tuple[Rundown, ...]
    """What must not go before the runs have ended."""

    end: Callable[["LocalRun", str], None]
    refused: bool = False
    """The process cannot run it: it is not offered again."""

    closed: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def program(self) -> Program:
        """The link's."""
        return self.image.programs[0]

    @property
    def maps(self) -> tuple[MapObject, ...]:
        """Those whose files it has."""
        return self.image.maps

    @property
    def gate(self) -> "Gate":
        """That which lets runs in."""
        return self.gates[0]

    @property
    def helpers(self) -> list[int]:
        """Those that its programs call, the general ones among them."""
        called = {each for program in self.image.programs for each in program.spec.helper_ids}
        return sorted(called)

    @property
    def process_id(self) -> int:
        """Of the process that runs it."""
        return self.process.pid

    @property
    def running(self) -> int:
        """Batches inside now; what a process makes up is no more than an answer can say."""
        return min(self.gate.inside, MOST_INSIDE)

    def close(self) -> None:
        """Let it begin no more runs."""
        self.close_for("the daemon has taken it back; it offers it again when that is over")

    def close_for(self, why: str) -> None:
        """Let it begin no more runs, and say why it is remote afterwards; twice is once."""
        if not self.closed:
            self.closed = True
            self.gate.close()
            self.end(self, why)

    async def ended(self) -> None:
        """Wait until none of its runs reaches a map or a counter any more."""
        if self.closed:
            await self.over.wait()


class LocalRuns:
    """Hands programs over, and takes them back."""

    def __init__(
        self,
        *,
        targets: Targets,
        new_maps: NewMaps,
        helper_calls: HelperCalls,
        services: Services,
        patience_s: float,
    ) -> None:
        self._targets = targets
        self._new_maps = new_maps
        self._helper_calls = helper_calls
        self._services = services
        self._patience_s = patience_s
        self._runs: set[LocalRun] = set()
        targets.on_free = self.offer

    def offer(self, target: Target) -> None:
        """Let the hook of *target* take its program, if there is nothing in the way of that."""
        link, hook = target.link, target.owner
        if link.elsewhere is None and not _in_the_way(target) and isinstance(hook, AttentiveModule):
            hook.offered(nmr.BindingHandle(link.binding))

    def refuse(self, binding: int, module: Module, why: str) -> None:
        """The process of a hook cannot run the link of *binding* itself, and says why."""
        link = self._targets.find(binding, module).link
        link.why_remote = why
        for run in [each for each in self._runs if each.link is link]:
            run.refused = True
            run.close_for(why)

    def hand_over(self, binding: int, module: Module, process: LocalProcess) -> LocalRun:
        """Let *process* run the link of *binding*.

        ``RequestError`` says why it may not, and ``ebpfctl link show`` does.
        """
        target = self._targets.find(binding, module)
        link = target.link
        try:
            if why := _in_the_way(target):
                raise refusal(why)
            if link.elsewhere is not None:
                raise refusal("it is handed over already")
            image = image_of(link.program, module)
            gates = _gates(process, len(image.programs))
            lane = _lane(link.program, process)
            uses = (*(each.provider.rundown for each in image.programs), target.rundown)
            _acquire(uses)
        except RequestError as error:
            link.why_remote = error.message
            raise
        longest_s = self._helper_calls.longest_s
        run = LocalRun(link, image, process, gates, lane, longest_s, uses, self._end)
        for use in uses:
            use.when_closed(run.close)
        for each in image.maps:
            each.sharers.add(process)
        for array in image.arrays:
            array.elsewhere.add(run)
        for program, gate in zip(image.programs, gates, strict=True):
            process.begin(program.id)
            program.engine.follow(gate)
        link.tally.follow(run.gate)
        link.elsewhere = run
        self._runs.add(run)
        _log.info("link runs in its hook's process", link=link.id, pid=process.pid)
        return run

    def _end(self, run: LocalRun, why: str) -> None:
        self._runs.discard(run)
        self._services.start(self._ended(run, why), name=f"end of local runs of {run.link.id}")

    async def _ended(self, run: LocalRun, why: str) -> None:
        if not await self._left(run):
            _log.warning(
                "a process is left behind that did not leave a program",
                link=run.link.id,
                program=run.program.id,
                pid=run.process.pid,
                after_s=self._patience_s,
            )
            await self._leave_behind(run)
        for program, gate in zip(run.image.programs, run.gates, strict=True):
            run.process.finish(program.id)
            program.engine.unfollow(gate)
        run.link.tally.unfollow(run.gate)
        for array in run.image.arrays:
            array.elsewhere.discard(run)
        for each in run.maps:
            if each.map.has_records:
                each.map.wake()
        target = self._targets.bound(run.link)
        run.link.elsewhere = None
        run.link.why_remote = (target and _in_the_way(target)) or why
        run.over.set()
        for use in run.uses:
            use.forget(run.close)
            use.release()
        if target is not None and not run.refused:
            self.offer(target)

    async def _left(self, run: LocalRun) -> bool:
        """Whether nobody is inside any more, or nobody is left who could be."""
        loop = asyncio.get_running_loop()
        deadline_s, looks = loop.time() + self._patience_s, 0
        while run.gate.busy and not run.process.gone:
            if loop.time() > deadline_s:
                return False
            await asyncio.sleep(_LOOK_S[min(looks, len(_LOOK_S) - 1)])
            looks += 1
        return True

    async def _leave_behind(self, run: LocalRun) -> None:
        """Move the maps that *run* has; others that have one of them must let go of it first."""
        moving = set(run.maps)
        others = [each for each in self._runs if moving.intersection(each.maps)]
        for other in others:
            other.close_for("a map of its program has moved away from a process that was stopped")
        for other in others:
            await other.over.wait()
        for each in run.maps:
            await self._moved(each)

    async def _moved(self, map_object: MapObject) -> None:
        """Try for as long as it takes: what was detached may not reach a live map."""
        while True:
            try:
                await self._new_maps.renew(map_object)
                map_object.sharers.clear()
            except EngineError as error:
                if error.code != Result.TIMEOUT:
                    _log.exception("a map cannot be moved: trying again", map=map_object.id)
            except OSError:
                _log.exception("a map cannot be moved: trying again", map=map_object.id)
            else:
                return
            await asyncio.sleep(_AGAIN_S)


def _in_the_way(target: Target) -> str:
    """What about a link, not its program, keeps it from being run in its hook's process."""
    if target.runner is not target.executor:
        return "its events are looked at in the daemon, to be recorded or compared"
    if target.link.breaker_rule is not None:
        return "it has a breaker, which the daemon keeps"
    return ""


def _lane(program: Program, process: LocalProcess) -> int | None:
    """The lane of its runs, if they have one."""
    if not program.engine.uses_lane:
        return None
    try:
        return process.lane()
    except EngineError as error:
        why = "it has values for each processor, or leads to other programs"
        raise refusal(f"{why}, but {error.message}") from None


def _acquire(uses: tuple[Rundown, ...]) -> None:
    """Use all, or none."""
    for number, use in enumerate(uses):
        if not use.acquire():
            for acquired in uses[:number]:
                acquired.release()
            raise refusal("it is being detached, or its program waits for its extension")


def _gates(process: LocalProcess, count: int) -> "tuple[Gate, ...]":
    """Gates for a run of *process*, which has what takes its lines."""
    from ebpfd_vm.sharing import Gate  # noqa: PLC0415 (for daemons that hand programs over)

    try:
        process.ring()
        return tuple(Gate() for _ in range(count))
    except EngineError as error:
        raise refusal(error.message) from None
