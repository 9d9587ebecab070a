"""Run the sample extension.

    python -m ebpfd_extensions.sample [--address A] [--replay FILE.pcap] [--window N]

With --replay it waits until a program is attached, feeds the capture through the hook, prints
one line of JSON on standard output, and goes on serving.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ebpfd_extensions.sample import pcap
from ebpfd_extensions.sample.extension import events, sample
from ebpfd_extensions.sample.replay import replay
from ebpfd_sdk import Extension, run


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m ebpfd_extensions.sample", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--address", help="where the daemon is; else $EBPFD_ADDRESS or its default")
    parser.add_argument("--replay", type=Path, metavar="FILE.pcap", help="packets to feed")
    parser.add_argument(
        "--window", type=_positive, default=256, metavar="N", help="packets in flight (256)"
    )
    arguments = parser.parse_args()
    # Read before connecting: a wrong file is no reason to trouble the daemon.
    packets = None if arguments.replay is None else _packets(parser, arguments.replay)

    async def feed(extension: Extension) -> None:  # noqa: ARG001 (run() passes it)
        if packets is not None:
            await events.attached()
            report = await replay(events, packets, arguments.window)
            sys.stdout.write(f"{report.as_json()}\n")
            sys.stdout.flush()

    run(sample, events, feed, address=arguments.address)


def _packets(parser: argparse.ArgumentParser, file: Path) -> Sequence[bytes]:
    try:
        return list(pcap.read(file.read_bytes()))
    except (OSError, pcap.CaptureError) as error:
        parser.error(f"--replay {file}: {error}")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 at least")
    return number


if __name__ == "__main__":
    main()
