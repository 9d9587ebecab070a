"""An independent witness: knows the rules of NMR, not the registrar's states.

It is told of every effect and of every report, and asserts as soon as a rule is broken.
"""

from dataclasses import dataclass, field

from ebpfd.nmr import (
    BindingGone,
    BindingHandle,
    BindingReady,
    Callback,
    ClientAttachProvider,
    ClientAttachProviderReturned,
    ClientCleanupBindingContext,
    ClientDetachProvider,
    DeregisterCompleted,
    DeregisterReturned,
    Effect,
    ProviderAttachClient,
    ProviderCleanupBindingContext,
    ProviderDetachClient,
    RegisterReturned,
    RegistrationHandle,
    Role,
)
from ebpfd_api.ntstatus import NtStatus

ORDER = (
    ClientAttachProvider,
    ProviderAttachClient,
    ClientDetachProvider,
    ProviderDetachClient,
    ClientCleanupBindingContext,
    ProviderCleanupBindingContext,
)
ROLE: dict[type, Role] = {
    kind: Role.PROVIDER if kind.__name__.startswith("Provider") else Role.CLIENT for kind in ORDER
}


@dataclass
class BoundRecord:
    """What was seen of one binding."""

    client: RegistrationHandle
    provider: RegistrationHandle
    called: list[type] = field(default_factory=list[type])
    running: dict[type, Callback] = field(default_factory=dict[type, Callback])
    pending: set[Role] = field(default_factory=set[Role])
    early: set[Role] = field(default_factory=set[Role])
    contexts: dict[Role, object] = field(default_factory=dict[Role, object])
    ready: bool = False
    answered: bool = False
    accepted: bool = False

    def registration(self, role: Role) -> RegistrationHandle:
        """Return the registration of that side."""
        return self.client if role is Role.CLIENT else self.provider


@dataclass
class ModuleRecord:
    """What was seen of one registration."""

    role: Role
    owner: str
    has_cleanup: bool
    register_answers: int = 0
    asked: bool = False
    deregistering: bool = False
    deregister_answers: list[NtStatus] = field(default_factory=list[NtStatus])
    lost: bool = False


@dataclass
class Monitor:
    """Everything seen so far."""

    modules: dict[RegistrationHandle, ModuleRecord] = field(
        default_factory=dict[RegistrationHandle, ModuleRecord]
    )
    completed: dict[RegistrationHandle, ModuleRecord] = field(
        default_factory=dict[RegistrationHandle, ModuleRecord]
    )
    bound: dict[BindingHandle, BoundRecord] = field(
        default_factory=dict[BindingHandle, BoundRecord]
    )
    gone: set[BindingHandle] = field(default_factory=set[BindingHandle])

    def see(self, effect: Effect) -> None:
        """Take note of an effect."""
        match effect:
            case BindingReady():
                record = self.bound[effect.binding]
                assert not record.ready
                assert record.accepted
                record.ready = True
            case BindingGone():
                self._see_gone(effect.binding)
            case RegisterReturned():
                module = self.modules[effect.registration]
                module.register_answers += 1
                assert module.register_answers == 1
                assert effect.status == NtStatus.SUCCESS
            case DeregisterReturned():
                self._see_deregister_answer(effect)
            case DeregisterCompleted():
                self._see_completed(effect.registration)
            case ClientAttachProviderReturned():
                record = self.bound[effect.binding]
                assert not self.modules[record.client].lost
                assert set(record.running) == {ClientAttachProvider}
                assert not record.answered
                record.answered = True
            case _:
                self._see_callback(effect)

    def _see_callback(self, effect: Callback) -> None:
        kind = type(effect)
        assert effect.binding not in self.gone
        record = self.bound[effect.binding]
        registration = record.registration(ROLE[kind])
        module = self.modules[registration]
        assert effect.registration == registration
        assert effect.owner == module.owner
        assert not module.lost
        if kind is ClientAttachProvider:
            assert not self.modules[record.client].deregistering
            assert not self.modules[record.provider].deregistering
        assert [ORDER.index(each) < ORDER.index(kind) for each in record.called] == (
            [True] * len(record.called)
        )
        assert set(record.running) <= (
            {ClientAttachProvider} if kind is ProviderAttachClient else set[type]()
        )
        match effect:
            case ClientCleanupBindingContext() | ProviderCleanupBindingContext():
                assert module.has_cleanup
                assert not record.pending
                assert effect.context == record.contexts[ROLE[kind]]
            case ClientDetachProvider() | ProviderDetachClient():
                assert record.ready or (record.accepted and self.modules[record.client].lost)
                assert effect.context == record.contexts[ROLE[kind]]
            case _:
                pass
        record.called.append(kind)
        record.running[kind] = effect

    def _see_gone(self, handle: BindingHandle) -> None:
        record = self.bound.pop(handle)
        self.gone.add(handle)
        assert not record.running
        assert not record.pending
        for role, detach, cleanup in (
            (Role.CLIENT, ClientDetachProvider, ClientCleanupBindingContext),
            (Role.PROVIDER, ProviderDetachClient, ProviderCleanupBindingContext),
        ):
            module = self.modules[record.registration(role)]
            if module.lost or record.contexts.get(role) is None:
                continue
            assert not record.ready or detach in record.called
            assert (cleanup in record.called) == module.has_cleanup

    def _see_deregister_answer(self, effect: DeregisterReturned) -> None:
        handle = effect.registration
        module = self.modules[handle]
        assert module.asked
        module.deregister_answers.append(effect.status)
        assert len(module.deregister_answers) == 1
        left = [each for each in self.bound.values() if handle in (each.client, each.provider)]
        assert (effect.status == NtStatus.PENDING) == bool(left)

    def _see_completed(self, handle: RegistrationHandle) -> None:
        module = self.modules.pop(handle)
        self.completed[handle] = module
        assert module.deregistering
        assert module.register_answers == 1
        assert len(module.deregister_answers) == module.asked
        assert all(handle not in (each.client, each.provider) for each in self.bound.values())

    def lose(self, owner: str) -> None:
        """Take note that a process vanished: its callbacks will not return any more."""
        for handle, module in self.modules.items():
            if module.owner == owner:
                module.lost = module.deregistering = True
                for record in self.bound.values():
                    if handle in (record.client, record.provider):
                        record.pending.discard(module.role)
                        for kind in [each for each in record.running if ROLE[each] is module.role]:
                            del record.running[kind]
