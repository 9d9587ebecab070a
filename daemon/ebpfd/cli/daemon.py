"""``ebpfd``: run the daemon, or see everything at work."""

import os
import sys
from functools import partial

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ebpfd")
def main() -> None:
    """Host hooks that users extend with verified eBPF programs."""


@main.command()
@click.option(
    "--listen",
    multiple=True,
    metavar="unix:PATH|tls:HOST:PORT",
    help="A socket for this user alone, or TCP for who has a certificate; repeatable.  "
    "[default: $EBPFD_ADDRESS, else your own]",
)
@click.option("--cert", metavar="FILE", help="For tls: the daemon's certificate (PEM).")
@click.option("--key", metavar="FILE", help="For tls: its private key.")
@click.option("--client-ca", metavar="FILE", help="For tls: whose certificates let clients in.")
@click.option(
    "--state", metavar="DIR", help="The state directory, for one daemon at a time.  [default: none]"
)
@click.option(
    "--callback-deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="What a module's attach, detach or cleanup callback may take.  [default: 30]",
)
@click.option(
    "--drain-deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="What a module may take to complete a detach that is pending.  [default: 300]",
)
@click.option(
    "--lease",
    type=click.FloatRange(min=0.1, max=86400),
    metavar="SECONDS",
    help="How long an extension may be silent before it counts as gone.  [default: 15]",
)
@click.option(
    "--extension",
    "extensions",
    multiple=True,
    metavar="MODULE|COMMAND",
    help="Start an extension, watch it, stop it at the end; repeatable.",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT|unix:PATH",
    help="Show metrics to Prometheus, at /metrics; HOST is this one.  [default: nowhere]",
)
@click.option(
    "--audit",
    metavar="FILE",
    help="Write a line of JSON for each change: who, what, and what came of it.  SIGHUP: anew.",
)
@click.option(
    "--local",
    is_flag=True,
    help="Let extensions of this user run programs in their own processes, on shared maps.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="TOML with all of this; what is said here goes before it.  SIGHUP: roles and quotas anew.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every binding that comes and goes.")
def run(
    listen: tuple[str, ...],
    cert: str | None,
    key: str | None,
    client_ca: str | None,
    state: str | None,
    callback_deadline: float | None,
    drain_deadline: float | None,
    lease: float | None,
    extensions: tuple[str, ...],
    metrics: str | None,
    audit: str | None,
    local: bool,
    config: str | None,
    verbose: bool,
) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Handshakes that fail are no news for this log, which is JSON; who wants them says so.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # Late, so that `ebpfd --help` need not wait for gRPC and the engine.
    from ebpfd.app import Settings, SettingsError  # noqa: PLC0415
    from ebpfd.app.logs import configure_logs  # noqa: PLC0415
    from ebpfd.app.refusal import NotStartedError  # noqa: PLC0415
    from ebpfd.app.run import run as run_daemon  # noqa: PLC0415

    configure_logs(verbose=verbose)
    read = partial(
        Settings.parse,
        listen,
        state,
        callback_s=callback_deadline,
        drain_s=drain_deadline,
        lease_s=lease,
        extensions=extensions,
        cert=cert,
        key=key,
        client_ca=client_ca,
        config=config,
        metrics=metrics,
        audit=audit,
        local=local,
    )
    try:
        settings = read()
    except SettingsError as error:
        if sys.stderr.isatty():
            raise click.UsageError(str(error)) from None
        _tell_refusal(str(error))
        sys.exit(2)
    try:
        run_daemon(settings, read)
    except NotStartedError as error:
        if sys.stderr.isatty():
            raise click.ClickException(str(error)) from None
        _tell_refusal(str(error))
        sys.exit(1)


def _tell_refusal(why: str) -> None:
    """A line of the log, for those who read it as they read the others."""
    import structlog  # noqa: PLC0415 (`--help` must not wait)

    structlog.get_logger().error("not started", reason=why)


@main.command()
@click.option("--packets", type=click.IntRange(1), default=10_000, show_default=True)
def demo(packets: int) -> None:
    """Daemon, extension, programs and 10,000 packets: the whole path in a few seconds."""
    from ebpfd.cli.demo import run_demo  # noqa: PLC0415 (same)

    sys.exit(run_demo(packets))
