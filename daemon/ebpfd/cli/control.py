"""``ebpfctl``: the operator's commands."""

import click

from ebpfd.cli.commands import Commands
from ebpfd.cli.contracts import contract
from ebpfd.cli.extensions import extension
from ebpfd.cli.hooks import hook
from ebpfd.cli.links import link
from ebpfd.cli.maps import map_commands
from ebpfd.cli.output import Output
from ebpfd.cli.pins import owner, pin
from ebpfd.cli.programs import program
from ebpfd.cli.quotas import quota
from ebpfd.cli.recordings import record, replay
from ebpfd.cli.registrations import binding, client, provider, registrar
from ebpfd.cli.shadows import shadow
from ebpfd.cli.state import state
from ebpfd.cli.status import status
from ebpfd.cli.top import top
from ebpfd.cli.trace import trace
from ebpfd.cli.whoami import whoami


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--address",
    envvar="EBPFD_ADDRESS",
    metavar="unix:PATH|tls:HOST:PORT",
    help="Where the daemon listens.  [default: $EBPFD_ADDRESS, else the user's own socket]",
)
@click.option(
    "--cert", envvar="EBPFD_CERT", metavar="FILE", help="For tls: your certificate.  [$EBPFD_CERT]"
)
@click.option("--key", envvar="EBPFD_KEY", metavar="FILE", help="Its private key.  [$EBPFD_KEY]")
@click.option(
    "--ca", envvar="EBPFD_CA", metavar="FILE", help="Whom to believe about the daemon.  [$EBPFD_CA]"
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs; also behind the command.",
)
@click.version_option(package_name="ebpfd")
@click.pass_context
def main(
    context: click.Context,
    address: str | None,
    cert: str | None,
    key: str | None,
    ca: str | None,
    output: str,
) -> None:
    """Load programs, attach them to hooks, look at what they do."""
    context.obj = Output(address, output == "json", cert, key, ca)


hook.add_command(record)
link.add_command(shadow)
for _command in (
    program,
    link,
    map_commands,
    pin,
    owner,
    contract,
    provider,
    client,
    binding,
    registrar,
    extension,
    hook,
    quota,
    top,
    trace,
    replay,
    state,
    status,
    whoami,
):
    main.add_command(_command)
