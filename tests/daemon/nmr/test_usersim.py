"""The six cases of usersim's own tests of NMR, with what they assert and nothing else."""

from dataclasses import dataclass, field

import pytest

from ebpfd.nmr import (
    BindingHandle,
    ClientAttachProvider,
    ProviderAttachClient,
    RegistrationHandle,
    Role,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, PROVIDER, Host

CLIENT_DISPATCH, PROVIDER_DISPATCH = 1, 2


@dataclass(eq=False)
class Context:
    """A binding context as the tests of usersim have it."""

    allocated: bool = False
    handle: BindingHandle | None = None
    peer_context: object = None
    peer_dispatch: object = None

    def reset(self) -> None:
        """Return to what it was before any attach."""
        self.__init__()  # type: ignore[misc]

    @property
    def is_reset(self) -> bool:
        """Whether nothing is left in it."""
        return not self.allocated and self.handle is self.peer_context is self.peer_dispatch is None


@dataclass(eq=False)
class Side:
    """A module with one static binding context."""

    detach_status: NtStatus = NtStatus.SUCCESS
    context: Context = field(default_factory=Context)

    def attach(self, host: Host, effect: ClientAttachProvider | ProviderAttachClient) -> NtStatus:
        """Allocate the context and exchange it with the peer's."""
        self.context.allocated = True
        self.context.handle = effect.binding
        if isinstance(effect, ProviderAttachClient):
            self.context.peer_context = effect.client_context
            self.context.peer_dispatch = effect.client_dispatch
            host.outputs[effect.binding] = (self.context, PROVIDER_DISPATCH)
            return NtStatus.SUCCESS
        answer = host.client_attach_provider(effect.binding, self.context, CLIENT_DISPATCH)
        self.context.peer_context = answer.provider_context
        self.context.peer_dispatch = answer.provider_dispatch
        return NtStatus(answer.status)

    def detach(self, context: object) -> NtStatus:
        """Forget the peer."""
        assert context is self.context
        self.context.peer_context = self.context.peer_dispatch = None
        return self.detach_status

    def cleanup(self, context: object) -> None:
        """Free the context."""
        assert context is self.context
        self.context.reset()


def _register(host: Host, role: Role, module: Side) -> RegistrationHandle:
    status, handle = host.register(role, module)
    assert status == NtStatus.SUCCESS
    return handle


def _assert_attached(client: Side, provider: Side) -> None:
    for side, peer, dispatch in (
        (client, provider, PROVIDER_DISPATCH),
        (provider, client, CLIENT_DISPATCH),
    ):
        assert side.context.allocated
        assert side.context.handle is not None
        assert side.context.peer_context is peer.context
        assert side.context.peer_dispatch == dispatch


@pytest.mark.parametrize("role", list(Role))
def test_one_side_alone_registers_and_deregisters(role: Role) -> None:
    """Cases 1 and 2: without a peer nothing attaches, and deregistration succeeds at once."""
    host, side = Host(), Side()
    handle = _register(host, role, side)
    assert side.context.is_reset
    assert host.deregister(handle) == NtStatus.SUCCESS


@pytest.mark.parametrize("last", list(Role))
def test_the_second_to_register_attaches_and_its_deregistration_detaches(last: Role) -> None:
    """Cases 3 and 4: contexts and dispatches are exchanged, and all is reset on both sides."""
    host, sides = Host(), {CLIENT: Side(), PROVIDER: Side()}
    first_handle = _register(host, last.opposite, sides[last.opposite])
    last_handle = _register(host, last, sides[last])
    _assert_attached(sides[CLIENT], sides[PROVIDER])
    assert host.deregister(last_handle) == NtStatus.SUCCESS
    assert all(side.context.is_reset for side in sides.values())
    assert host.deregister(first_handle) == NtStatus.SUCCESS


@pytest.mark.parametrize("slow", list(Role))
def test_a_pending_detach_keeps_both_contexts_until_it_completes(slow: Role) -> None:
    """Cases 5 and 6: deregistration is PENDING, completes later, and then all is cleaned."""
    host, sides = Host(), {CLIENT: Side(), PROVIDER: Side()}
    sides[slow].detach_status = NtStatus.PENDING
    handles = {slow.opposite: _register(host, slow.opposite, sides[slow.opposite])}
    handles[slow] = _register(host, slow, sides[slow])
    _assert_attached(sides[CLIENT], sides[PROVIDER])

    assert host.deregister(handles[slow]) == NtStatus.PENDING
    for side in sides.values():
        assert side.context.allocated
        assert side.context.handle is not None
        assert side.context.peer_context is side.context.peer_dispatch is None

    binding = sides[slow].context.handle
    assert binding is not None
    host.detach_complete(binding, slow)
    assert host.wait(handles[slow]) == NtStatus.SUCCESS
    assert host.completed == [handles[slow]]
    assert all(side.context.is_reset for side in sides.values())
    assert host.deregister(handles[slow.opposite]) == NtStatus.SUCCESS
