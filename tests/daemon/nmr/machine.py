"""Random modules drive the registrar and a naive model side by side, and must see no difference.

``test_machine`` goes a few thousand steps, ``long_run`` as many as it is asked for.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar, cast
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.nmr import (
    ANYONE,
    BindingSnapshot,
    Change,
    Effect,
    ForeignHandleError,
    InvalidValueError,
    LateCallError,
    ModuleId,
    OutOfTurnError,
    Registrar,
    RegistrarError,
    RegistrationHandle,
    RegistrationSnapshot,
    Role,
    UnknownHandleError,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import instance
from tests.daemon.nmr.model import Bound, Model, RefusedError, Said

T = TypeVar("T")
OWNERS = st.sampled_from(["a", "b", "c", "d"])
CALLERS = st.sampled_from(["a", "b", None])
NPIS = st.sampled_from([UUID(int=1), UUID(int=1), UUID(int=1), UUID(int=2), None])
ROLES = st.sampled_from(Role)
MODULE = st.integers(1, 2)
WANTS = st.sampled_from([None, None, None, {1}, {2}, {1, 2}, set[int]()])
RARELY = st.sampled_from([False, False, False, True])
CHOICE = st.integers(0, 1 << 16)
ATTACH_STATUS = st.sampled_from([*[NtStatus.SUCCESS] * 6, NtStatus.NOINTERFACE, 0xC0000001])
DETACH_STATUS = st.sampled_from([NtStatus.SUCCESS, NtStatus.PENDING, NtStatus.NOINTERFACE])
BACK = st.integers(0, 12)
"""Counts handles back from the first that was not given out yet."""

CALLS = st.sampled_from(
    [
        "deregister",
        "client_attach_provider",
        "client_attach_returned",
        "provider_attach_returned",
        "detach_returned",
        "detach_complete",
        "cleanup_returned",
    ]
)
CONTEXT = st.sampled_from(["context", "context", None])
REFUSALS: dict[type[RegistrarError], str] = {
    UnknownHandleError: "unknown",
    ForeignHandleError: "foreign",
    OutOfTurnError: "out of turn",
    LateCallError: "late",
    InvalidValueError: "invalid value",
}
MODULES = 8
"""As many are registered at most: more make each step slower, but no new one possible."""


class RegistrarMachine(RuleBasedStateMachine):
    """Whatever modules do, registrar and model say, hold and refuse the same."""

    steps = 0
    """Of all machines, since the program began."""

    def __init__(self) -> None:
        super().__init__()
        self.registrar = Registrar()
        self.model = Model()
        self.observed = _Observed()
        self.registrar.observe(self.observed)

    # What both are told.

    def _both(self, call: Callable[[], list[Effect]], same: Callable[[], object]) -> None:
        self.model.said.clear()
        refused: str | None = None
        effects: list[Effect] = []
        try:
            same()
        except RefusedError as error:
            refused = error.why
            assert not self.model.said
        try:
            effects = call()
        except RegistrarError as error:
            assert REFUSALS[type(error)] == refused  # noqa: PT017 (either may refuse or not)
        else:
            assert refused is None
        said, expected = _in_order(map(_said, effects)), _in_order(self.model.said)
        assert said == expected, f"{said} is not {expected}"

    def _tell(self, name: str, handle: int, *values: object, by: str | None) -> None:
        """Call both by the name of what an owner, or with None anyone, says of a handle."""
        caller = ANYONE if by is None else by
        plain = [each.name if isinstance(each, Role) else each for each in values]
        self._both(
            lambda: getattr(self.registrar, name)(handle, *values, by=caller),
            lambda: getattr(self.model, name)(handle, *plain, by=by),
        )

    def _says(self, name: str, bound: Bound, role: str, *values: object) -> None:
        self._tell(name, bound.handle, Role[role], *values, by=bound.module(role).owner)

    def _attached(self, bound: Bound, role: str, status: int, context: object) -> None:
        values = (status,) if role == "CLIENT" else (status, context, object())
        name = f"{role.lower()}_attach_returned"
        self._tell(name, bound.handle, *values, by=bound.module(role).owner)

    # What modules may do now.

    def _running(self, verb: str) -> list[tuple[Bound, str]]:
        return [
            (bound, role)
            for bound in self.model.bounds.values()
            for role, running in bound.running
            if running == verb
        ]

    def _attaching(self) -> list[tuple[Bound, str]]:
        # A client that has called its provider mostly waits: see ``hurry``.
        return [
            (bound, role)
            for bound, role in self._running("attach")
            if role == "PROVIDER" or ("PROVIDER", "attach") not in bound.running
        ]

    def _pending(self) -> list[tuple[Bound, str]]:
        return [(bound, role) for bound in self.model.bounds.values() for role in bound.pending]

    def _registered(self) -> list[int]:
        return [each.handle for each in self.model.modules.values() if not each.leaving]

    # What they do.

    @precondition(lambda self: len(self.model.modules) < MODULES)
    @rule(
        role=ROLES,
        npi_id=NPIS,
        owner=OWNERS,
        has_cleanup=st.booleans(),
        module=MODULE,
        wants=WANTS,
    )
    def register(
        self,
        role: Role,
        npi_id: UUID | None,
        owner: str,
        *,
        has_cleanup: bool,
        module: int,
        wants: set[int] | None,
    ) -> None:
        """A module comes, and meets every live opposite of its contract at once."""
        shown = instance(npi_id, module)
        wants = wants if role is Role.CLIENT else None
        ids = None if wants is None else frozenset(ModuleId.guid(UUID(int=each)) for each in wants)
        handles: list[int] = []

        def call() -> list[Effect]:
            handle, effects = self.registrar.register(
                role, shown, owner=owner, has_cleanup=has_cleanup, wants=ids
            )
            handles.append(handle)
            return effects

        def same() -> None:
            handle = self.model.register(
                role.name,
                npi_id,
                shown,
                owner,
                has_cleanup=has_cleanup,
                module=module,
                wants=wants,
            )
            handles.append(handle)

        self._both(call, same)
        assert handles[0] == handles[1]

    @precondition(lambda self: self._registered())
    @rule(choice=CHOICE, now=RARELY)
    def deregister(self, choice: int, *, now: bool) -> None:
        """A module leaves in order."""
        if not now:
            return
        handle = _pick(self._registered(), choice)
        self._tell("deregister", handle, by=self.model.modules[handle].owner)

    @precondition(lambda self: self.model.modules)
    @rule(owner=OWNERS, now=RARELY)
    def lose(self, owner: str, *, now: bool) -> None:
        """A process vanishes."""
        if now:
            self._both(lambda: self.registrar.lost(owner), lambda: self.model.lost(owner))

    @precondition(lambda self: self._attaching())
    @rule(choice=CHOICE, status=ATTACH_STATUS, context=CONTEXT)
    def go_on(self, choice: int, status: int, context: object) -> None:
        """An attach takes its next step: a client that would say yes asks its provider first."""
        bound, role = _pick(self._attaching(), choice)
        if role == "CLIENT" and not bound.nested and status == NtStatus.SUCCESS:
            values = bound.handle, context, object()
            self._tell("client_attach_provider", *values, by=bound.client.owner)
        else:
            self._attached(bound, role, status, context)

    @precondition(lambda self: self._running("attach"))
    @rule(choice=CHOICE, status=ATTACH_STATUS, context=CONTEXT, now=RARELY)
    def hurry(self, choice: int, status: int, context: object, *, now: bool) -> None:
        """An attach returns as it is: without the nested call, or before that was answered."""
        if now:
            bound, role = _pick(self._running("attach"), choice)
            self._attached(bound, role, status, context)

    @precondition(lambda self: self._running("detach"))
    @rule(choice=CHOICE, status=st.sampled_from([NtStatus.SUCCESS, NtStatus.PENDING]))
    def detach(self, choice: int, status: int) -> None:
        """A detach callback returns."""
        bound, role = _pick(self._running("detach"), choice)
        self._says("detach_returned", bound, role, status)

    @precondition(lambda self: self._pending() or self._running("detach"))
    @rule(choice=CHOICE, early=st.booleans())
    def complete(self, choice: int, *, early: bool) -> None:
        """A detach completes, be it before its callback has returned."""
        which = (self._running("detach") if early else None) or self._pending()
        if which:
            bound, role = _pick(which, choice)
            self._says("detach_complete", bound, role)

    @precondition(lambda self: self._running("cleanup"))
    @rule(choice=CHOICE)
    def clean_up(self, choice: int) -> None:
        """A cleanup callback returns."""
        bound, role = _pick(self._running("cleanup"), choice)
        self._says("cleanup_returned", bound, role)

    @rule(back=BACK, by=CALLERS, call=CALLS, role=ROLES, status=DETACH_STATUS)
    def anybody_says_anything(
        self, back: int, by: str | None, call: str, role: Role, status: int
    ) -> None:
        """Both take or refuse it alike, and what is refused changes nothing."""
        values: dict[str, tuple[object, ...]] = {
            "client_attach_provider": ("context", "dispatch"),
            "client_attach_returned": (status,),
            "provider_attach_returned": (status, "context", "dispatch"),
            "detach_returned": (role, status),
            "detach_complete": (role,),
            "cleanup_returned": (role,),
        }
        last = self.model.last_module if call == "deregister" else self.model.last_bound
        self._tell(call, last + 1 - back, *values.get(call, ()), by=by)

    @rule(back=BACK, by=CALLERS)
    def wait(self, back: int, by: str | None) -> None:
        """INVALID_PARAMETER before, PENDING during and SUCCESS after a deregistration."""
        caller, handle = ANYONE if by is None else by, self.model.last_module + 1 - back
        status = self.registrar.wait(RegistrationHandle(handle), by=caller)
        assert status == self.model.wait(handle, by)

    # What must be so after each step.

    @invariant()
    def pictures_agree(self) -> None:
        """Lists, counts, contexts and phases are the model's; the observer missed nothing."""
        RegistrarMachine.steps += 1
        registrar, model = self.registrar, self.model
        modules = {each.handle: each for each in registrar.clients() + registrar.providers()}
        bindings = {each.handle: each for each in registrar.bindings()}
        assert modules.keys() == model.modules.keys()
        assert bindings.keys() == model.bounds.keys()
        for npi_id in (UUID(int=1), UUID(int=2)):
            of_contract = registrar.clients(npi_id) + registrar.providers(npi_id)
            matching = [each for each in modules.values() if each.instance.npi_id == npi_id]
            assert list(of_contract) == matching
        leaving = {handle: each.leaving for handle, each in model.modules.items()}
        assert self.observed.modules == leaving
        phases = {handle: each.phase for handle, each in model.bounds.items()}
        assert self.observed.bindings == phases
        for handle, module in modules.items():
            expected = model.modules[handle]
            assert module.role.name == expected.role
            assert module.owner == expected.owner
            assert module.instance is expected.instance
            assert module.deregistering == expected.leaving
            assert module.binding_count == len(model.of(expected))
        for binding_handle, binding in bindings.items():
            bound = model.bounds[binding_handle]
            pair = bound.client.handle, bound.provider.handle
            assert (binding.client, binding.provider) == pair
            assert binding.phase.name == bound.phase
            assert binding.client_context is bound.contexts["CLIENT"]
            assert binding.client_dispatch is bound.dispatches["CLIENT"]
            assert binding.provider_context is bound.contexts["PROVIDER"]
            assert binding.provider_dispatch is bound.dispatches["PROVIDER"]

    def teardown(self) -> None:
        """When all have left and every callback has returned, nothing remains."""
        for handle in self._registered():
            self._tell("deregister", handle, by=None)
        while self.model.bounds:
            for bound, role in self._pending():
                self._says("detach_complete", bound, role)
            for bound, role in self._attaching():
                self._attached(bound, role, NtStatus.SUCCESS, None)
            for bound, role in self._running("detach"):
                self._says("detach_returned", bound, role, NtStatus.SUCCESS)
            for bound, role in self._running("cleanup"):
                self._says("cleanup_returned", bound, role)
        self.pictures_agree()
        assert not self.model.modules
        assert _kept(self.registrar) == []


class _Observed:
    """What somebody who is only told of changes believes."""

    def __init__(self) -> None:
        self.modules: dict[int, bool] = {}
        self.bindings: dict[int, str] = {}

    def __call__(self, change: Change, picture: RegistrationSnapshot | BindingSnapshot) -> None:
        if isinstance(picture, RegistrationSnapshot):
            _take_note(self.modules, change, picture.handle, picture.deregistering)
        else:
            _take_note(self.bindings, change, picture.handle, picture.phase.name)


def _take_note(known: dict[int, T], change: Change, handle: int, what: T) -> None:
    assert (handle in known) == (change is not Change.ADDED)
    if change is Change.GONE:
        del known[handle]
    else:
        known[handle] = what


def _pick(items: list[T], choice: int) -> T:
    return items[choice % len(items)]


def _said(effect: Effect) -> Said:
    kind = type(effect)
    return kind.__name__, *(getattr(effect, name) for name in kind.__slots__)


def _in_order(said: Iterator[Said] | list[Said]) -> list[Said]:
    """Bring what is said of different bindings and modules, which has no order, into one."""
    return sorted(said, key=lambda each: ("register" in str(each[0]).lower(), cast("int", each[1])))


def _kept(part: object) -> list[object]:
    """Return every non-empty collection inside the registrar."""
    kept: list[object] = []
    for value in cast("dict[str, object]", vars(part)).values():
        if isinstance(value, (dict, list, set)):
            kept += [value] if value else []
        elif hasattr(value, "__dict__"):
            kept += _kept(value)
    return kept
