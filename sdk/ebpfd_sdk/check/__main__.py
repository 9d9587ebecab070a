"""Hold an extension against what every extension must do.

    python -m ebpfd_sdk.check [OPTIONS] MODULE
    python -m ebpfd_sdk.check [OPTIONS] -- COMMAND...

The extension is started several times and finds its daemon by EBPFD_ADDRESS; the word {address}
in COMMAND stands for it as well.  Exit code 0: it conforms; 1: a check failed; 2: it could not be
checked.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from ebpfd_sdk.check import Options, Outcome, check_extension
from ebpfd_sdk.testing import NotInstalledError, ProcessFailedError


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    options, as_json = _parse(list(arguments))

    def show(outcome: Outcome) -> None:
        if not as_json:
            sys.stdout.write(f"{outcome}\n")
            sys.stdout.flush()

    try:
        report = asyncio.run(check_extension(options, show))
    except (NotInstalledError, ProcessFailedError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    said = report.json()
    summary = ", ".join(f"{said[each]} {each}" for each in ("pass", "fail", "skip"))
    sys.stdout.write(f"{json.dumps(said, indent=2) if as_json else summary}\n")
    return 0 if report.conforms else 1


def _parse(arguments: list[str]) -> tuple[Options, bool]:
    command: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(
        prog="python -m ebpfd_sdk.check",
        usage="%(prog)s [OPTIONS] MODULE | -- COMMAND...",
        description=(__doc__ or "").splitlines()[0],
    )
    add = parser.add_argument
    add("module", nargs="?", metavar="MODULE", help="a module to run with this Python")
    add("-o", dest="format", choices=("text", "json"), default="text", help="how to report")
    add(
        "--parameter",
        action="append",
        type=_hex,
        metavar="HEX",
        help="an attach parameter that its hooks take; repeatable; without any: none",
    )
    add(
        "--bad-parameter",
        action="append",
        type=_hex,
        default=[],
        metavar="HEX",
        help="one that they refuse; repeatable",
    )
    add(
        "--offers",
        action="append",
        default=[],
        metavar="NAME",
        help="wait for this module, by name or GUID; repeatable; else a program type and a hook",
    )
    add("--context", type=_hex, default=b"", metavar="HEX", help="context of the events fired")
    add("--data", type=_hex, default=b"", metavar="HEX", help="data of the events fired")
    add("--timeout", type=float, default=30, metavar="S", help="for each step, seconds (30)")
    given: Any = parser.parse_args(arguments)
    if bool(given.module) == bool(command):
        parser.error("name a MODULE, or a COMMAND after --")
    options = Options(
        command=given.module or tuple(command),
        parameters=tuple(given.parameter or (b"",)),
        bad_parameters=tuple(given.bad_parameter),
        offers=tuple(given.offers),
        context=given.context,
        data=given.data,
        timeout_s=given.timeout,
    )
    return options, given.format == "json"


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not hexadecimal") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
