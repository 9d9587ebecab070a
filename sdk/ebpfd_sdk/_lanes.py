"""The lanes of one hook: one for each set of links that its events reach.

Several are a chain: the daemon runs it in the order that is asked for here, by the rules of the
program type.
"""

from typing import Generic

from ebpfd_sdk._answer import C
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._lane import Lane
from ebpfd_sdk._links import Link
from ebpfd_sdk._local import LocalProgram
from ebpfd_sdk._policy import Fallback, LinkPolicy
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._request import target_of
from ebpfd_sdk._traffic import Traffic


class Lanes(Generic[C]):
    """The lanes to the links of one hook in one session."""

    def __init__(self, type_: ProgramType[C], traffic: Traffic, streams: DataStreams) -> None:
        self._type = type_
        self._traffic = traffic
        self._streams = streams
        self._lanes: dict[tuple[int, ...], Lane[C]] = {}
        self._taken: dict[int, LocalProgram[C] | str] = {}
        """By binding: the program that runs here, or why it does not."""

    def to(self, links: tuple[Link, ...]) -> Lane[C]:
        """Return the lane to *links*, of which there is one at least."""
        bindings = tuple(link.binding for link in links)
        lane = self._lanes.get(bindings)
        if lane is None:
            alone = len(links) == 1
            fallback = Fallback(links[0].policy, self._type.default_result)
            lane = Lane(
                target_of(bindings), self._type.context, fallback, self._traffic, self._streams
            )
            taken = self._taken.get(bindings[0])
            if alone and isinstance(taken, LocalProgram):
                lane.local = taken
            self._lanes[bindings] = lane
        return lane

    def set_policy(self, binding: int, policy: LinkPolicy) -> None:
        """Follow what a link's user wants now; what is chosen for the first holds for its chain."""
        for bindings, lane in self._lanes.items():
            if bindings[0] == binding:
                lane.fallback.policy = policy

    async def take(self, binding: int) -> None:
        """Run a link's program here, if it can be."""
        if self._streams.local is not None:
            taken = await self._streams.local.take(binding, self._type.context, self._type.helpers)
            self._forget(binding)
            self._taken[binding] = taken
            if isinstance(taken, LocalProgram):
                self._traffic.follow(taken)
                if lane := self._lanes.get((binding,)):
                    await lane.move_to(taken)

    def taken(self, binding: int) -> LocalProgram[C] | str:
        """Return the program that runs here, or why it does not."""
        return self._taken.get(binding, "nobody has asked for it")

    def leave(self, binding: int) -> list[Lane[C]]:
        """Lead nobody to a link any more; return the lanes that did: they may be in use."""
        self._forget(binding)
        keys = [key for key in self._lanes if binding in key]
        return [self._lanes.pop(key) for key in keys]

    def _forget(self, binding: int) -> None:
        taken = self._taken.pop(binding, None)
        if isinstance(taken, LocalProgram):
            self._traffic.unfollow(taken)

    def leave_all(self) -> None:
        """Lead nobody anywhere any more: the daemon has none of these links now."""
        for binding in tuple(self._taken):
            self.leave(binding)

    def all(self) -> list[Lane[C]]:
        """Return every lane."""
        return list(self._lanes.values())
