"""``ebpfctl provider``, ``client``, ``binding`` and ``registrar``: what the registrar knows."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from ebpfd.cli.output import Json, Output
from ebpfd.cli.peers import peer_json

if TYPE_CHECKING:
    from ebpfd_sdk import Binding, Client, RegistrarChange, RegistrarSnapshot, Registration

BINDING_COLUMNS = (
    "binding",
    "contract",
    "client",
    "provider",
    "owner",
    "state",
    "waits_for",
    "overdue",
)
COLUMNS = ("registration", "contract", "module", "owner", "peer", "bindings", "module_id")


@click.group()
def provider() -> None:
    """Providers of contracts."""


@click.group()
def client() -> None:
    """Clients of contracts."""


@click.group()
def binding() -> None:
    """Clients with the providers that they are bound to."""


@click.group()
def registrar() -> None:
    """Providers and clients as they come, bind, part and go."""


@registrar.command("watch")
@click.option("--contract", type=click.UUID, metavar="GUID", help="Only this contract.")
@click.pass_obj
def watch(output: Output, contract: UUID | None) -> None:
    """Print what is there, then every change.  After a loss, what is there again."""

    async def work(ebpfd: "Client") -> None:
        from ebpfd_sdk import RegistrarSnapshot  # noqa: PLC0415 (as in Output.run)

        async for event in ebpfd.watch_registrar(contract):
            if isinstance(event, RegistrarSnapshot):
                _emit_snapshot(output, event)
            else:
                _emit_change(output, event)

    output.follow(work)


@provider.command("list")
@click.pass_obj
def list_providers(output: Output) -> None:
    """List the providers."""

    async def work(ebpfd: "Client") -> None:
        output.table([describe(each) for each in await ebpfd.providers()], COLUMNS)

    output.run(work)


@provider.command("disconnect")
@click.argument("registration", type=int)
@click.pass_obj
def disconnect(output: Output, registration: int) -> None:
    """End the session of a provider's extension, as if its process had vanished.

    `provider list` shows its REGISTRATION.  The way out when an extension that was told to leave
    waits for who uses it.  Programs and links stay and wait; calls in flight fail.  It may connect
    again.
    """

    async def work(ebpfd: "Client") -> None:
        gone = await ebpfd.disconnect(registration)
        output.table([describe(each) for each in gone], COLUMNS)

    output.run(work)


@client.command("list")
@click.pass_obj
def list_clients(output: Output) -> None:
    """List the clients."""

    async def work(ebpfd: "Client") -> None:
        output.table([describe(each) for each in await ebpfd.clients()], COLUMNS)

    output.run(work)


@binding.command("list")
@click.pass_obj
def list_bindings(output: Output) -> None:
    """List the bindings."""

    async def work(ebpfd: "Client") -> None:
        rows = [describe_binding(each) for each in await ebpfd.bindings()]
        output.table(rows, BINDING_COLUMNS)

    output.run(work)


def describe(each: "Registration") -> dict[str, Json]:
    """A registration's fields."""
    return {
        "registration": each.registration,
        "role": each.role.name.lower(),
        "contract": each.npi_name or str(each.npi),
        "npi_id": str(each.npi),
        "module": each.module_name,
        "module_id": str(each.module),
        "owner": each.owner,
        "peer": peer_json(each.peer),
        "deregistering": each.deregistering,
        "bindings": each.binding_count,
    }


def describe_binding(each: "Binding") -> dict[str, Json]:
    """A binding's fields."""
    return {
        "binding": each.binding,
        "contract": each.provider.npi_name or str(each.npi),
        "client": each.client.module_name or str(each.client.module),
        "provider": each.provider.module_name or str(each.provider.module),
        "owner": each.provider.owner,
        "state": each.state.name.lower(),
        "waits_for": [
            f"{wait.callback.name.lower()} of {wait.module} ({wait.elapsed_ms / 1000:.1f} s)"
            for wait in each.waits
        ],
        "overdue": list(each.overdue),
    }


def _emit_snapshot(output: Output, event: "RegistrarSnapshot") -> None:
    registrations = [describe(each) for each in event.registrations]
    bindings = [describe_binding(each) for each in event.bindings]
    count = f"{len(registrations)} registrations, {len(bindings)} bindings"
    lost = f" ({event.lost} changes lost)" if event.lost else ""
    text = [f"snapshot{lost}: {count}"]
    text += [f"  {_registration_text(each)}" for each in event.registrations]
    text += [f"  {_binding_text(each)}" for each in event.bindings]
    value: dict[str, Json] = {
        "event": "snapshot",
        "lost": event.lost,
        "registrations": registrations,
        "bindings": bindings,
    }
    output.emit_line(value, "\n".join(text))


def _emit_change(output: Output, event: "RegistrarChange") -> None:
    from ebpfd_sdk import Registration  # noqa: PLC0415 (as in Output.run)

    kind = event.kind.name.lower()
    if isinstance(event.subject, Registration):
        value, text = {"registration": describe(event.subject)}, _registration_text(event.subject)
    else:
        value, text = {"binding": describe_binding(event.subject)}, _binding_text(event.subject)
    output.emit_line({"event": kind, **value}, f"{kind}: {text}")


def _registration_text(each: "Registration") -> str:
    leaves = ", deregistering" if each.deregistering else ""
    contract, module = each.npi_name or each.npi, each.module_name or each.module
    what = f"{each.role.name.lower()} {each.registration}"
    return f"{what} of {contract}: {module}, by {each.owner}{leaves}"


def _binding_text(each: "Binding") -> str:
    ends = f"client {each.client.registration} to provider {each.provider.registration}"
    overdue = "".join(f"; {text}" for text in each.overdue)
    return f"binding {each.binding}, {ends}: {each.state.name.lower()}{overdue}"
