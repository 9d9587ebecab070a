"""A naive registrar: what NMR does, written down as its threads would do it, line after line.

Each register call, nested attach, deregistration and unbinding is a thread (a generator) that waits
until a callback has returned or nothing is left, as in usersim.  It knows no stages, no tables and
no indices, shares nothing with ``ebpfd.nmr``, and whatever it looks for it finds by looking at all.
``said`` holds what it would make the modules do, in tuples of the name, the handle and the values.
"""

from collections.abc import Callable, Collection, Generator, Hashable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ebpfd_api.ntstatus import NtStatus

Wait: TypeAlias = Callable[[], bool]
Thread: TypeAlias = Generator[Wait, None, None]
Said: TypeAlias = tuple[object, ...]

CLIENT: Final = "CLIENT"
PROVIDER: Final = "PROVIDER"
CALLBACKS: Final = {
    (CLIENT, "attach"): "ClientAttachProvider",
    (PROVIDER, "attach"): "ProviderAttachClient",
    (CLIENT, "detach"): "ClientDetachProvider",
    (PROVIDER, "detach"): "ProviderDetachClient",
    (CLIENT, "cleanup"): "ClientCleanupBindingContext",
    (PROVIDER, "cleanup"): "ProviderCleanupBindingContext",
}


class RefusedError(Exception):
    """A call that NMR forbids; the word says why."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(eq=False)
class Module:
    """One registration."""

    handle: int
    role: str
    npi_id: Hashable
    instance: object
    owner: str
    has_cleanup: bool
    module: Hashable = None
    wants: Collection[Hashable] | None = None
    leaving: bool = False
    lost: bool = False
    refusals: "list[tuple[Module, list[Bound]]]" = field(
        default_factory=list["tuple[Module, list[Bound]]"]
    )
    """Of a client: the providers it did not get, and what it was bound to meanwhile."""


@dataclass(eq=False)
class Bound:
    """One client and one provider, from their introduction to the end."""

    handle: int
    client: Module
    provider: Module
    phase: str = "ATTACHING"
    begun: bool = False
    nested: bool = False
    accepted: bool = False
    was_ready: bool = False
    leaving: bool = False
    told: bool = False
    freed: bool = False
    """Another binding of the client ended after this one had begun."""

    contexts: dict[str, object] = field(default_factory=lambda: {CLIENT: None, PROVIDER: None})
    dispatches: dict[str, object] = field(default_factory=lambda: {CLIENT: None, PROVIDER: None})
    running: dict[tuple[str, str], int | None] = field(
        default_factory=dict[tuple[str, str], int | None]
    )
    """Callbacks, and what they returned."""

    early: set[str] = field(default_factory=set[str])
    pending: set[str] = field(default_factory=set[str])
    vanished: set[str] = field(default_factory=set[str])

    def module(self, role: str) -> Module:
        """Return the registration on that side."""
        return self.client if role == CLIENT else self.provider


class Model:
    """Takes the same calls as ``Registrar``, and says what must come of them."""

    def __init__(self) -> None:
        self.modules: dict[int, Module] = {}
        self.bounds: dict[int, Bound] = {}
        self.said: list[Said] = []
        self.last_module = self.last_bound = 0
        self._attaching: list[tuple[Thread, Wait]] = []
        self._leaving: list[tuple[Thread, Wait]] = []

    # Threads.

    def _start(self, thread: Thread) -> None:
        _advance(thread, self._attaching)

    def _run(self) -> None:
        # Whoever waits in a deregistration wakes up as soon as there is a reason to.
        while any(_wake(threads) for threads in (self._leaving, self._attaching)):
            pass

    # Calls of modules.

    def register(
        self,
        role: str,
        npi_id: Hashable,
        instance: object,
        owner: str,
        *,
        has_cleanup: bool,
        module: Hashable,
        wants: Collection[Hashable] | None,
    ) -> int:
        """NmrRegisterClient, NmrRegisterProvider."""
        self.last_module += 1
        new = Module(self.last_module, role, npi_id, instance, owner, has_cleanup, module, wants)
        bounds: list[Bound] = []
        for other in list(self.modules.values()):
            if other.role != role and other.npi_id == npi_id is not None and not other.leaving:
                client, provider = (new, other) if role == CLIENT else (other, new)
                if client.wants is None or provider.module in client.wants:
                    bounds.append(self._pair(client, provider))
        self.modules[new.handle] = new
        self._start(self._attach_all(bounds, new))
        self._run()
        return new.handle

    def client_attach_provider(
        self, handle: int, context: object, dispatch: object, by: str | None
    ) -> None:
        """NmrClientAttachProvider."""
        bound = self._bound(handle, CLIENT, by)
        if (CLIENT, "attach") not in bound.running or bound.nested:
            raise RefusedError("out of turn")
        bound.nested = True
        bound.contexts[CLIENT], bound.dispatches[CLIENT] = context, dispatch
        self._start(self._nested_attach(bound))
        self._run()

    def deregister(self, handle: int, by: str | None) -> None:
        """NmrDeregisterClient, NmrDeregisterProvider."""
        module = self._module(handle, by)
        if module.leaving:
            raise RefusedError("out of turn")
        _advance(self._deregister(module), self._leaving)
        self._run()

    def wait(self, handle: int, by: str | None) -> NtStatus:
        """NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete."""
        try:
            module = self._module(handle, by)
        except RefusedError as refused:
            gone = refused.why == "late"
            return NtStatus.SUCCESS if gone else NtStatus.INVALID_PARAMETER
        return NtStatus.PENDING if module.leaving else NtStatus.INVALID_PARAMETER

    # Ends of callbacks.

    def client_attach_returned(self, handle: int, status: int, by: str | None) -> None:
        """ClientAttachProvider has returned."""
        bound = self._running(handle, CLIENT, "attach", by)
        bound.running[CLIENT, "attach"] = status
        self._run()

    def provider_attach_returned(
        self, handle: int, status: int, context: object, dispatch: object, by: str | None
    ) -> None:
        """ProviderAttachClient has returned."""
        bound = self._running(handle, PROVIDER, "attach", by)
        if status == NtStatus.SUCCESS:
            bound.accepted = True
            bound.contexts[PROVIDER], bound.dispatches[PROVIDER] = context, dispatch
        bound.running[PROVIDER, "attach"] = status
        self._run()

    def detach_returned(self, handle: int, role: str, status: int, by: str | None) -> None:
        """ClientDetachProvider or ProviderDetachClient has returned."""
        bound = self._bound(handle, role, by)
        if status not in (NtStatus.SUCCESS, NtStatus.PENDING):
            raise RefusedError("invalid value")
        self._running(handle, role, "detach", by)
        bound.running[role, "detach"] = status
        self._run()

    def detach_complete(self, handle: int, role: str, by: str | None) -> None:
        """NmrClientDetachProviderComplete, NmrProviderDetachClientComplete."""
        bound = self._bound(handle, role, by)
        if role in bound.pending:
            bound.pending.discard(role)
        elif (role, "detach") in bound.running and role not in bound.early:
            bound.early.add(role)
        else:
            raise RefusedError("out of turn")
        self._run()

    def cleanup_returned(self, handle: int, role: str, by: str | None) -> None:
        """ClientCleanupBindingContext or ProviderCleanupBindingContext has returned."""
        bound = self._running(handle, role, "cleanup", by)
        bound.running[role, "cleanup"] = NtStatus.SUCCESS
        self._run()

    def lost(self, owner: str) -> None:
        """The process is gone: a deregistration whose every callback counts as done."""
        theirs = [each for each in self.modules.values() if each.owner == owner]
        new = [each for each in theirs if not each.leaving]
        for module in theirs:
            module.lost = True
        self._retire(new)
        for module in new:
            _advance(self._leave(module), self._leaving)
        for module in theirs:
            for bound in self.of(module):
                bound.vanished.add(module.role)
                bound.pending.discard(module.role)
                self._run()
        self._run()

    def of(self, module: Module) -> list[Bound]:
        """Return the bindings of *module*."""
        return [each for each in self.bounds.values() if module in (each.client, each.provider)]

    # Attaching.

    def _pair(self, client: Module, provider: Module) -> Bound:
        self.last_bound += 1
        bound = self.bounds[self.last_bound] = Bound(self.last_bound, client, provider)
        return bound

    def _attach_all(self, bounds: list[Bound], registered: Module | None) -> Thread:
        for bound in bounds:
            if bound.handle in self.bounds:
                yield from self._attach(bound)
        if registered is not None:
            self._say("RegisterReturned", registered.handle, NtStatus.SUCCESS, registered.owner)

    def _attach(self, bound: Bound) -> Thread:
        bound.begun = True
        status = yield from self._call(bound, CLIENT, "attach", bound.provider.instance)
        agreed = status == NtStatus.SUCCESS and bound.accepted
        yield lambda: (PROVIDER, "attach") not in bound.running
        if agreed:
            bound.phase, bound.was_ready = "READY", True
            self._say("BindingReady", bound.handle)
        elif bound.accepted and bound.client.lost:
            self._start(self._unbind(bound))
        else:
            yield from self._clean_up(bound)

    def _nested_attach(self, bound: Bound) -> Thread:
        client = bound.client
        mine = client.instance, bound.contexts[CLIENT], bound.dispatches[CLIENT]
        status = yield from self._call(bound, PROVIDER, "attach", *mine)
        if (CLIENT, "attach") in bound.running and not client.lost:
            given = bound.contexts[PROVIDER], bound.dispatches[PROVIDER]
            name = "ClientAttachProviderReturned"
            self._say(name, bound.handle, client.owner, status, *given)

    # Parting.

    def _retire(self, modules: list[Module]) -> None:
        for module in modules:
            module.leaving = True
        for module in modules:
            for bound in self.of(module):
                if not bound.begun:
                    self._end(bound)
        for module in modules:
            for bound in self.of(module):
                if not bound.leaving:
                    bound.leaving = True
                    self._start(self._part(bound))

    def _deregister(self, module: Module) -> Thread:
        mine = [each for each in self.of(module) if not each.leaving]
        self._retire([module])
        yield lambda: all(each.told or each.handle not in self.bounds for each in mine)
        status = NtStatus.PENDING if self.of(module) else NtStatus.SUCCESS
        self._say("DeregisterReturned", module.handle, status, module.owner)
        yield from self._leave(module)

    def _leave(self, module: Module) -> Thread:
        yield lambda: not self.of(module)
        del self.modules[module.handle]
        self._say("DeregisterCompleted", module.handle, module.owner)

    def _part(self, bound: Bound) -> Thread:
        yield lambda: bound.phase != "ATTACHING"
        if bound.phase == "READY":
            yield from self._unbind(bound)

    def _unbind(self, bound: Bound) -> Thread:
        bound.phase = "DETACHING"
        for role in (CLIENT, PROVIDER):
            if bound.contexts[role] is not None:
                status = yield from self._call(bound, role, "detach", bound.contexts[role])
                if status == NtStatus.PENDING and role not in bound.early:
                    bound.pending.add(role)
        bound.told = bool(bound.pending)
        yield lambda: not bound.pending
        yield from self._clean_up(bound)

    def _clean_up(self, bound: Bound) -> Thread:
        bound.phase = "CLEANUP"
        for role in (CLIENT, PROVIDER):
            if bound.contexts[role] is not None and bound.module(role).has_cleanup:
                yield from self._call(bound, role, "cleanup", bound.contexts[role])
        self._end(bound)

    def _end(self, bound: Bound) -> None:
        del self.bounds[bound.handle]
        self._say("BindingGone", bound.handle)
        client = bound.client
        if client.leaving or not bound.begun:
            return
        due = self._second_chances(bound)
        pairs = [self._pair(client, each) for each in sorted(due, key=lambda each: each.handle)]
        self._start(self._attach_all(pairs, None))

    # Beyond NMR: who was refused while the client was bound gets a second chance.

    def _second_chances(self, ended: Bound) -> list[Module]:
        client, provider = ended.client, ended.provider
        others = [each for each in self.of(client) if each.begun]
        if ended.was_ready or provider.lost:
            for each in others:
                each.freed = True
            due = [who for who, meanwhile in client.refusals if ended in meanwhile]
            client.refusals = [each for each in client.refusals if each[0] not in due]
            return [each for each in due if not each.leaving]
        if ended.freed and not provider.leaving:
            return [provider]
        client.refusals.append((provider, others))
        return []

    # Callbacks.

    def _call(
        self, bound: Bound, role: str, verb: str, *values: object
    ) -> Generator[Wait, None, int]:
        module, key = bound.module(role), (role, verb)
        if module.lost:
            return NtStatus.DEVICE_NOT_READY
        self._say(CALLBACKS[key], bound.handle, module.handle, module.owner, *values)
        bound.running[key] = None
        yield lambda: bound.running[key] is not None or role in bound.vanished
        status = bound.running.pop(key)
        return NtStatus.DEVICE_NOT_READY if status is None else status

    def _say(self, *said: object) -> None:
        self.said.append(said)

    # Handles.

    def _module(self, handle: int, by: str | None) -> Module:
        if not 1 <= handle <= self.last_module:
            raise RefusedError("unknown")
        return _usable(self.modules.get(handle), by)

    def _bound(self, handle: int, role: str, by: str | None) -> Bound:
        if not 1 <= handle <= self.last_bound:
            raise RefusedError("unknown")
        if handle not in self.bounds:
            raise RefusedError("late")
        _usable(self.bounds[handle].module(role), by)
        return self.bounds[handle]

    def _running(self, handle: int, role: str, verb: str, by: str | None) -> Bound:
        bound = self._bound(handle, role, by)
        if (role, verb) not in bound.running:
            raise RefusedError("out of turn")
        return bound


def _usable(module: Module | None, by: str | None) -> Module:
    if module is None:
        raise RefusedError("late")
    if by not in (None, module.owner):
        raise RefusedError("foreign")
    if module.lost:
        raise RefusedError("late")
    return module


def _advance(thread: Thread, threads: list[tuple[Thread, Wait]]) -> None:
    for wait in thread:
        if not wait():
            threads.append((thread, wait))
            return


def _wake(threads: list[tuple[Thread, Wait]]) -> bool:
    for each in threads:
        thread, wait = each
        if wait():
            threads.remove(each)
            _advance(thread, threads)
            return True
    return False
