"""``ebpfctl provider``, ``client`` and ``binding``: what the registrar knows."""

from typing import TYPE_CHECKING

import click

from ebpfd.cli.output import Json, Output

if TYPE_CHECKING:
    from ebpfd_sdk import Client, Registration

COLUMNS = ("registration", "contract", "module", "owner", "bindings", "module_id")


@click.group()
def provider() -> None:
    """Providers of contracts."""


@click.group()
def client() -> None:
    """Clients of contracts."""


@click.group()
def binding() -> None:
    """Clients with the providers that they are bound to."""


@provider.command("list")
@click.pass_obj
def list_providers(output: Output) -> None:
    """List the providers."""

    async def work(ebpfd: "Client") -> None:
        output.table([describe(each) for each in await ebpfd.providers()], COLUMNS)

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
        rows: list[dict[str, Json]] = [
            {
                "binding": each.binding,
                "contract": each.provider.npi_name or str(each.npi),
                "client": each.client.module_name or str(each.client.module),
                "provider": each.provider.module_name or str(each.provider.module),
                "owner": each.provider.owner,
                "state": each.state.name.lower(),
            }
            for each in await ebpfd.bindings()
        ]
        output.table(rows, ("binding", "contract", "client", "provider", "owner", "state"))

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
        "deregistering": each.deregistering,
        "bindings": each.binding_count,
    }
