"""Random modules, calls, completions and losses, watched by an independent witness."""

from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.nmr import (
    BindingHandle,
    Callback,
    ClientAttachProvider,
    ClientDetachProvider,
    Effect,
    LateCallError,
    ProviderAttachClient,
    ProviderDetachClient,
    Registrar,
    RegistrarError,
    RegistrationHandle,
    Role,
    Stage,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import instance
from tests.daemon.nmr.monitor import ROLE, BoundRecord, ModuleRecord, Monitor

T = TypeVar("T")
OWNERS = st.sampled_from(["a", "b", "c", "d"])
NPIS = st.sampled_from([UUID(int=1), UUID(int=1), UUID(int=2), None])
CHOICE = st.integers(0, 1 << 16)
ATTACH_STATUS = st.sampled_from(
    [NtStatus.SUCCESS, NtStatus.SUCCESS, NtStatus.NOINTERFACE, 0xC0000001]
)
CONTEXT = st.sampled_from(["context", "context", None])


def _pick(items: list[T], choice: int) -> T:
    return items[choice % len(items)]


def _kept(part: object) -> list[object]:
    """Return every non-empty collection inside the registrar."""
    kept: list[object] = []
    for value in cast("dict[str, object]", vars(part)).values():
        if isinstance(value, (dict, list, set)):
            kept += [value] if value else []
        elif hasattr(value, "__dict__"):
            kept += _kept(value)
    return kept


class RegistrarMachine(RuleBasedStateMachine):
    """Whatever modules do, the rules of NMR hold."""

    def __init__(self) -> None:
        super().__init__()
        self.registrar = Registrar()
        self.monitor = Monitor()

    def _do(self, effects: list[Effect]) -> None:
        for bound in self.registrar.bindings():
            if bound.handle not in self.monitor.bound:
                self.monitor.bound[bound.handle] = BoundRecord(bound.client, bound.provider)
        for effect in effects:
            self.monitor.see(effect)

    def _running(self) -> list[tuple[BoundRecord, Callback]]:
        return [
            (record, effect)
            for record in self.monitor.bound.values()
            for kind, effect in record.running.items()
            # The provider's attach callback runs inside the client's.
            if kind is not ClientAttachProvider or ProviderAttachClient not in record.running
        ]

    def _pending(self) -> list[tuple[BindingHandle, Role]]:
        return [
            (handle, role)
            for handle, record in self.monitor.bound.items()
            for role in Role
            if role in record.pending
        ]

    def _registered(self) -> list[RegistrationHandle]:
        return [handle for handle, each in self.monitor.modules.items() if not each.deregistering]

    @rule(role=st.sampled_from(Role), npi_id=NPIS, owner=OWNERS, has_cleanup=st.booleans())
    def register(self, role: Role, npi_id: UUID | None, owner: str, *, has_cleanup: bool) -> None:
        """A module comes, and meets every live opposite of its contract at once."""
        shown = instance(npi_id)
        handle, effects = self.registrar.register(role, shown, owner=owner, has_cleanup=has_cleanup)
        self.monitor.modules[handle] = ModuleRecord(role, owner, has_cleanup)
        everyone = self.registrar.clients() + self.registrar.providers()
        matching = [
            each
            for each in everyone
            if npi_id is not None
            and each.instance.npi_id == npi_id
            and each.role is role.opposite
            and not each.deregistering
        ]
        assert self.registrar.registration(handle).binding_count == len(matching)
        self._do(effects)

    @precondition(lambda self: self._registered())
    @rule(choice=CHOICE)
    def deregister(self, choice: int) -> None:
        """A module leaves in order."""
        handle = _pick(self._registered(), choice)
        module = self.monitor.modules[handle]
        module.asked = module.deregistering = True
        self._do(self.registrar.deregister(handle, by=module.owner))

    @rule(owner=OWNERS)
    def lose(self, owner: str) -> None:
        """A process vanishes."""
        self.monitor.lose(owner)
        self._do(self.registrar.lost(owner))

    @precondition(lambda self: self._running())
    @rule(choice=CHOICE, status=ATTACH_STATUS, context=CONTEXT, slow=st.booleans())
    def go_on(self, choice: int, status: int, context: object, *, slow: bool) -> None:
        """A running callback takes its next step."""
        record, effect = _pick(self._running(), choice)
        self._step(record, effect, status, context, slow=slow)

    def _step(
        self, record: BoundRecord, effect: Callback, status: int, context: object, *, slow: bool
    ) -> None:
        handle, role, by = effect.binding, ROLE[type(effect)], effect.owner
        registrar = self.registrar
        if isinstance(effect, ClientAttachProvider) and not record.answered and not slow:
            record.contexts[role] = context
            self._do(registrar.client_attach_provider(handle, context, None, by=by))
            return
        del record.running[type(effect)]
        match effect:
            case ClientAttachProvider():
                self._do(registrar.client_attach_returned(handle, status, by=by))
            case ProviderAttachClient():
                if status == NtStatus.SUCCESS:
                    record.accepted = True
                    record.contexts[role] = context
                self._do(registrar.provider_attach_returned(handle, status, context, by=by))
            case ClientDetachProvider() | ProviderDetachClient():
                answer = NtStatus.PENDING if slow or role in record.early else NtStatus.SUCCESS
                if role not in record.early and answer == NtStatus.PENDING:
                    record.pending.add(role)
                self._do(registrar.detach_returned(handle, role, answer, by=by))
            case _:
                self._do(registrar.cleanup_returned(handle, role, by=by))

    @precondition(lambda self: self._pending())
    @rule(choice=CHOICE)
    def complete(self, choice: int) -> None:
        """A pending detach completes."""
        handle, role = _pick(self._pending(), choice)
        self.monitor.bound[handle].pending.discard(role)
        self._do(self.registrar.detach_complete(handle, role))

    @precondition(lambda self: self._running())
    @rule(choice=CHOICE, status=ATTACH_STATUS)
    def hurry(self, choice: int, status: int) -> None:
        """A detach completes before its callback returned, or a client does not wait to return."""
        record, effect = _pick(self._running(), choice)
        role = ROLE[type(effect)]
        match effect:
            case ClientDetachProvider() | ProviderDetachClient() if role not in record.early:
                record.early.add(role)
                assert self.registrar.detach_complete(effect.binding, role) == []
            case ProviderAttachClient() if ClientAttachProvider in record.running:
                del record.running[ClientAttachProvider]
                assert self.registrar.client_attach_returned(effect.binding, status) == []
            case _:
                pass

    @rule(handle=st.integers(-1, 40), role=st.sampled_from(Role), choice=CHOICE)
    def misuse(self, handle: int, role: Role, choice: int) -> None:
        """A report of what does not run is refused and changes nothing."""
        binding, registrar = BindingHandle(handle), self.registrar
        record = self.monitor.bound.get(binding)
        running = [kind for kind in record.running if ROLE[kind] is role] if record else []
        if running or (record and role in record.pending):
            return
        calls: list[Callable[[], object]] = [
            lambda: registrar.detach_complete(binding, role),
            lambda: registrar.detach_returned(binding, role, NtStatus.SUCCESS),
            lambda: registrar.cleanup_returned(binding, role),
            lambda: (
                registrar.client_attach_returned(binding, NtStatus.SUCCESS)
                if role is Role.CLIENT
                else registrar.provider_attach_returned(binding, NtStatus.SUCCESS)
            ),
        ]
        before = registrar.clients(), registrar.providers(), registrar.bindings()
        with pytest.raises(RegistrarError) as caught:
            _pick(calls, choice)()
        assert isinstance(caught.value, LateCallError) or binding not in self.monitor.gone
        assert before == (registrar.clients(), registrar.providers(), registrar.bindings())

    @invariant()
    def counts_agree(self) -> None:
        """Lists, counts and what was seen say the same, and each pair is bound once."""
        bindings = self.registrar.bindings()
        modules = self.registrar.clients() + self.registrar.providers()
        assert [each.handle for each in bindings] == list(self.monitor.bound)
        assert {each.handle for each in modules} == set(self.monitor.modules)
        pairs = [(each.client, each.provider) for each in bindings]
        assert len(set(pairs)) == len(pairs)
        for module in modules:
            mine = [pair for pair in pairs if module.handle in pair]
            assert module.binding_count == len(mine)
            assert module.deregistering == self.monitor.modules[module.handle].deregistering

    @invariant()
    def whatever_is_asked_has_a_reason_to_wait(self) -> None:
        """An open question waits for a callback or a completion: nothing hangs by itself."""
        waiting = {each.client for each in self.monitor.bound.values()}
        waiting |= {each.provider for each in self.monitor.bound.values()}
        for handle, module in self.monitor.modules.items():
            if module.deregistering or not module.register_answers:
                assert handle in waiting
        for bound in self.registrar.bindings():
            record = self.monitor.bound[bound.handle]
            idle = bound.stage in (Stage.QUEUED, Stage.READY)
            assert idle or record.running or record.pending

    def teardown(self) -> None:
        """When all have left and every callback has returned, nothing remains."""
        for handle in self._registered():
            self.monitor.modules[handle].asked = self.monitor.modules[handle].deregistering = True
            self._do(self.registrar.deregister(handle))
        while self._running() or self._pending():
            for binding, role in self._pending():
                self.monitor.bound[binding].pending.discard(role)
                self._do(self.registrar.detach_complete(binding, role))
            for record, effect in self._running():
                self._step(record, effect, NtStatus.SUCCESS, "context", slow=False)
        assert self.registrar.clients() == self.registrar.providers() == ()
        assert self.registrar.bindings() == ()
        assert not self.monitor.modules
        assert not self.monitor.bound
        for handle in self.monitor.completed:
            assert self.registrar.wait(handle) == NtStatus.SUCCESS
        assert _kept(self.registrar) == []


RegistrarMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRegistrar = RegistrarMachine.TestCase
