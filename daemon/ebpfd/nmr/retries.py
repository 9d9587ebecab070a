"""Second chances: what ebpfd adds to NMR, and nothing else.

A pair whose attach failed while its client had another binding is offered again when such a binding
ends, so a new version of a provider takes over by itself.  A binding frees its client when it had
been ready, or when its provider vanished while attaching.  A failed attach frees nobody: otherwise
a client that declines everything would be asked for ever.

Invariant: a pair waits here only while both its registrations are live and its client has a binding
that is older than the failure.
"""

from dataclasses import dataclass, field
from itertools import count

from ebpfd.nmr.identity import RegistrationHandle, Role


@dataclass(slots=True)
class _Account:
    """What is known of one client while it has bindings."""

    open: int = 0
    """Bindings whose attach began and that are not gone."""

    freed_at: int = 0
    """When a binding last freed this client."""

    refused: dict[RegistrationHandle, int] = field(default_factory=dict[RegistrationHandle, int])
    """Providers whose attach failed, and when; oldest first."""


class Retries:
    """Remembers the pairs that deserve a second attach."""

    def __init__(self) -> None:
        """Begin with nothing to remember."""
        self._ticks = count(1)
        self._accounts: dict[RegistrationHandle, _Account] = {}
        self._refused_by: dict[RegistrationHandle, set[RegistrationHandle]] = {}

    def began(self, client: RegistrationHandle) -> int:
        """Note that an attach of *client* begins, and return when."""
        self._accounts.setdefault(client, _Account()).open += 1
        return next(self._ticks)

    def freed(self, client: RegistrationHandle, began_at: int) -> list[RegistrationHandle]:
        """Note the end of a binding that frees *client*; return the providers to offer again."""
        account = self._accounts[client]
        account.freed_at = next(self._ticks)
        due: list[RegistrationHandle] = []
        for provider, refused_at in reversed(account.refused.items()):
            if refused_at < began_at:
                break
            due.append(provider)
        for provider in due:
            self._forget_pair(client, provider)
        self._close(client, account)
        return sorted(due)

    def failed(
        self, client: RegistrationHandle, provider: RegistrationHandle, began_at: int
    ) -> list[RegistrationHandle]:
        """Note the end of a failed attach; return its provider if *client* was freed meanwhile."""
        account = self._accounts[client]
        retry_now = account.freed_at > began_at
        if not retry_now:
            account.refused[provider] = next(self._ticks)
            self._refused_by.setdefault(provider, set()).add(client)
        self._close(client, account)
        return [provider] if retry_now else []

    def ended(self, client: RegistrationHandle) -> None:
        """Note the end of a failed attach whose provider is leaving."""
        self._close(client, self._accounts[client])

    def forget(self, registration: RegistrationHandle, role: Role) -> None:
        """Drop whatever is known of a registration that leaves."""
        if role is Role.CLIENT:
            self._forget_client(registration)
        else:
            for client in self._refused_by.pop(registration, ()):
                del self._accounts[client].refused[registration]

    def _close(self, client: RegistrationHandle, account: _Account) -> None:
        account.open -= 1
        if not account.open:
            self._forget_client(client)

    def _forget_client(self, client: RegistrationHandle) -> None:
        account = self._accounts.pop(client, None)
        for provider in account.refused if account else ():
            self._drop_refused_by(provider, client)

    def _forget_pair(self, client: RegistrationHandle, provider: RegistrationHandle) -> None:
        del self._accounts[client].refused[provider]
        self._drop_refused_by(provider, client)

    def _drop_refused_by(self, provider: RegistrationHandle, client: RegistrationHandle) -> None:
        clients = self._refused_by[provider]
        clients.discard(client)
        if not clients:
            del self._refused_by[provider]
