"""Attaching programs to hooks, replacing them, and detaching."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

import structlog

from ebpfd.contracts import KnownContracts
from ebpfd.errors import RequestError
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper
from ebpfd.host.kept_rows import policy_of
from ebpfd.host.link_client import LinkClient
from ebpfd.host.looked_up import looked_up
from ebpfd.host.policies import Choice, changed, new_breaker
from ebpfd.host.programs import Programs
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.targets import Targets
from ebpfd.objects import (
    DAEMON,
    Link,
    LinkState,
    Objects,
    Owner,
    Program,
    ProgramState,
    Without,
)
from ebpfd.objects.breaker import Breaker, BreakerRule
from ebpfd.objects.links import LinkEvent
from ebpfd.store import KeptLink
from ebpfd_api.failure import Failure, Policy
from ebpfd_api.result import Result

NO_CHOICE: Final[Mapping[Failure, Choice]] = MappingProxyType({})

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Links:
    """Attach, detach and their undoing."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        contracts: KnownContracts,
        objects: Objects,
        programs: Programs,
        targets: Targets,
        executor: Executor,
        keeper: Keeper,
    ) -> None:
        self._keeper = keeper
        self._registrar = registrar
        self._contracts = contracts
        self._objects = objects
        self._programs = programs
        self._targets = targets
        self._executor = executor
        self._clients: dict[int, LinkClient] = {}
        self._detached: dict[int, asyncio.Event] = {}

    def find_attach_type(self, wanted: UUID | str) -> UUID:
        """An attach type by GUID or name, or ``RequestError``: see ``looked_up``."""
        with looked_up():
            return self._contracts.find_attach_type(wanted)

    def default_result(self, attach_type: UUID) -> int:
        """What a hook does with an event that reached nobody."""
        return self._contracts.default_result(attach_type)

    async def attach(
        self,
        program_id: int,
        attach_type: UUID | str,
        parameter: bytes,
        flags: int | None = None,
        priority: int = 0,
        policy: Mapping[Failure, Choice] = NO_CHOICE,
        breaker: BreakerRule | None = None,
        owner: Owner = DAEMON,
    ) -> Link:
        """Attach a program to a hook that is there and takes it.

        OBJECT_NOT_FOUND for a name that nobody knows, EXTENSION_FAILED_TO_LOAD for a GUID: a hook
        that is not there is absent, whether it has ever been there or not.

        The link is *owner*'s; of the daemon it is a legacy link, which only a detach ends.
        *flags* are for the hook; None: those of the program that the link has when it binds.
        *policy* is for events that find something in their way; what is left out is open.
        *breaker* says when the link is left alone; None, or after no failures: never.
        """
        program = self._objects.program(program_id)
        try:
            guid = self.find_attach_type(attach_type)
        except RequestError as error:
            if isinstance(attach_type, str):
                raise
            raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, error.message) from None
        there = self._objects.count("link")
        self._executor.guard.check("links", there, 1, "detach some")
        chosen = changed({}, policy, program.contract, self._contracts.attach_type(guid))
        link = Link(self._objects.next_id(), program, guid, parameter, flags, priority, chosen)
        link.breaker = new_breaker(breaker)
        client = self._client(link)
        link.apply(LinkEvent.ATTACH)
        self._objects.add_link(link, (owner,))
        self._clients[link.id] = client
        try:
            await client.register()
        except BaseException:
            link.apply(LinkEvent.REFUSED)
            await self._end(link)
            raise
        if link.binding:
            link.apply(LinkEvent.ATTACHED)
            self._objects.changed()
            hook = self._contracts.name_of(guid)
            _log.info("link attached", link=link.id, program=program_id, hook=hook)
            if not link.users:
                await self._finish(link)
                owner.check()
                message = f"link {link.id} was detached before it was attached"
                raise RequestError(Result.INVALID_STATE, message)
            if owner is DAEMON:
                await self._keeper.kept(partial(self._finish, link))
            return link
        link.apply(LinkEvent.REFUSED)
        await self._end(link)
        name = self._contracts.name_of(guid)
        reason = client.refusal or "its extension is not connected: start it and attach again"
        message = f'program {program_id} was not attached to "{name}": {reason}'
        raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)

    async def detach(self, link_id: int) -> None:
        """Detach; returns when nothing of the link is in flight.  Twice is once."""
        await self._detach([self._objects.link(link_id)])

    async def end_unkept(self, left: Iterable[Link | Program]) -> None:
        """Detach and destroy those that nobody has taken again meanwhile; all links at once."""
        ending = tuple(left)
        await self._finish(*(each for each in ending if isinstance(each, Link) and not each.users))
        await self._programs.destroy_unkept(each for each in ending if isinstance(each, Program))

    async def unlink(
        self, attach_type: UUID | str, parameter: bytes, program_id: int = 0
    ) -> list[Link]:
        """Detach every link of a hook with *parameter*, or those of one program; at once."""
        guid = self.find_attach_type(attach_type)
        found = [
            link
            for link in self._objects.links()
            if (link.attach_type, link.parameter) == (guid, parameter)
            and program_id in (0, link.program.id)
        ]
        if not found:
            message = (
                f'nothing like that is attached to "{self._contracts.name_of(guid)}" with '
                f"parameter {parameter.hex() or '(none)'}: `ebpfctl hook show` lists what is"
            )
            raise RequestError(Result.OBJECT_NOT_FOUND, message)
        await self._detach(found)
        return found

    async def replace(self, link_id: int, program_id: int, expected_id: int = 0) -> Link:
        """Put another program into a link: each batch meets the one or the other, whole.

        Returns when the link runs the old one no more, which goes if nobody else keeps it.
        """
        link, new = self._objects.link(link_id), self._objects.program(program_id)
        old = link.program
        self._check_replacement(link, new, expected_id)
        left = self._objects.relink(link, new)
        if self._keeper.keeps(link):
            await self._keeper.kept(partial(self._replace_again, link, old))
        _log.info("program replaced", link=link.id, program=new.id, instead_of=old.id)
        await self._targets.settled(link)
        if client := self._clients.get(link.id):
            client.describe()
        await self._programs.destroy_unkept(left)
        return link

    async def set_policy(
        self,
        link_id: int,
        choices: Mapping[Failure, Choice],
        breaker: BreakerRule | None = None,
    ) -> Link:
        """Choose what the hook does with events that find something in their way.

        What is left out stays; a breaker that is given is a new one.  Returns when it is kept and
        its hook has been told.
        """
        link = self._objects.link(link_id)
        if link.state is not LinkState.ATTACHED:
            message = f"link {link.id} is {link.state.value}: attach the program with this policy"
            raise RequestError(Result.INVALID_STATE, message)
        hook = self._contracts.attach_type(link.attach_type)
        policy = changed(link.policy, choices, link.program.contract, hook)
        before = link.policy, link.breaker
        after = policy, link.breaker if breaker is None else new_breaker(breaker)
        self._follow(link, *after)
        if self._keeper.keeps(link):
            await self._keeper.kept(partial(self._follow_again, link, after, before))
        if link.breaker_rule is not None and link.elsewhere is not None:
            link.elsewhere.close()
        elif target := self._targets.bound(link):
            self._targets.on_free(target)
        _log.info("policy set", link=link.id, policy=policy, breaker=link.breaker_rule)
        return link

    def _follow(self, link: Link, policy: Policy, breaker: Breaker | None) -> None:
        link.policy, link.breaker = policy, breaker
        self._objects.changed()
        self._clients[link.id].describe()

    async def _follow_again(
        self,
        link: Link,
        after: tuple[Policy, Breaker | None],
        before: tuple[Policy, Breaker | None],
    ) -> None:
        """Undo what could not be kept, unless somebody has chosen again meanwhile."""
        if link.policy is after[0] and link.id in self._clients:
            self._follow(link, *before)

    async def _replace_again(self, link: Link, old: Program) -> None:
        """Undo a replacement that could not be kept."""
        if link.state is LinkState.ATTACHED:
            await self._programs.destroy_unkept(self._objects.relink(link, old))

    async def restore(self, number: int, row: KeptLink, owners: tuple[Owner, ...]) -> None:
        """A link that was attached when the last daemon ended: it waits for its hook."""
        link = Link(
            number,
            self._objects.program(row.program),
            row.attach_type,
            row.parameter,
            row.flags,
            row.priority,
            policy_of(row),
            breaker=new_breaker(BreakerRule(row.break_after, row.retry_s)),
            link_type=row.link_type,
            bpf_attach_type=row.bpf_attach_type,
            wildcard=row.wildcard,
        )
        link.apply(LinkEvent.ATTACH)
        link.apply(LinkEvent.ATTACHED)
        client = self._client(link)
        self._objects.add_link(link, owners)
        self._clients[number] = client
        await client.register()

    def _client(self, link: Link) -> LinkClient:
        return LinkClient(link, self._registrar, self._targets, self._executor, self._contracts)

    def _check_replacement(self, link: Link, new: Program, expected_id: int) -> None:
        old = link.program
        if link.state is not LinkState.ATTACHED:
            message = f"link {link.id} is {link.state.value}: attach the program instead"
            raise RequestError(Result.INVALID_STATE, message)
        if expected_id not in (0, old.id):
            message = f"link {link.id} has program {old.id} ({old.name}), not {expected_id}"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        if new.program_type != old.program_type:
            message = (
                f'program {new.id} is of type "{new.contract.name}", link {link.id} takes '
                f'"{old.contract.name}" only'
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        if new.state is ProgramState.WAITING and old.state is ProgramState.READY:
            message = (
                f"program {new.id} cannot run now, program {old.id} can: {new.provider.reason}"
            )
            raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)

    async def close(self) -> None:
        """Detach every link, at the daemon's end; no hook waits for another one."""
        await self._finish(*self._objects.links())

    async def _detach(self, links: Sequence[Link]) -> None:
        """Detach all or none; returns when nothing of them is in flight."""
        attached = [link for link in links if link.state is LinkState.ATTACHED]
        if kept := frozenset(link.id for link in attached if self._keeper.keeps(link)):
            async with self._keeper.gone(Without(links=kept)):
                begun = self._begin_end(attached)
        else:
            begun = self._begin_end(attached)
        for link in links:
            if link.state is LinkState.ATTACHING:  # whoever attaches it will find it nobody's
                self._detached.setdefault(link.id, asyncio.Event())
                self._objects.let_go_of(link)
        await self._end_all(links, begun)

    async def _finish(self, *links: Link) -> None:
        """Detach, whatever is kept."""
        await self._end_all(links, self._begin_end(links))

    def _begin_end(self, links: Iterable[Link]) -> list[Link]:
        """Those that were attached until now: only one caller ends each."""
        begun = [link for link in links if link.state is LinkState.ATTACHED]
        for link in begun:
            link.apply(LinkEvent.DETACH)
            self._detached.setdefault(link.id, asyncio.Event())
            self._objects.let_go_of(link)
        return begun

    async def _end_all(self, links: Iterable[Link], begun: list[Link]) -> None:
        """End those that this caller has *begun* to end, and wait for the others of *links*."""
        async with asyncio.TaskGroup() as group:
            for link in begun:
                group.create_task(self._end(link), name=f"detach {link.id}")
        for link in links:
            if ended := self._detached.get(link.id):
                await ended.wait()

    async def _end(self, link: Link) -> None:
        ended = self._detached.setdefault(link.id, asyncio.Event())
        client = self._clients.pop(link.id)
        if client.handle is not None:
            await self._registrar.withdraw(client.handle)
        link.apply(LinkEvent.DETACHED)
        _log.info("link detached", link=link.id, program=link.program.id)
        if self._objects.remove_link(link):
            await self._programs.destroy(link.program)
        ended.set()
        del self._detached[link.id]
