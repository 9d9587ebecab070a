"""The command ``ebpfd-sdk``."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ebpfd_sdk.init.project import ProjectError, write_project
from ebpfd_sdk.testing import NotInstalledError, ProcessFailedError


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; the exit code is 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="ebpfd-sdk", description="Tools for extension authors.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    init = commands.add_parser("init", help="write a working extension to start from")
    init.add_argument("name", metavar="NAME", help="of the extension, its module and its folder")
    init.add_argument("-o", dest="format", choices=("text", "json"), default="text")
    given: Any = parser.parse_args(arguments)
    try:
        project = asyncio.run(write_project(given.name, Path.cwd()))
    except (ProjectError, NotInstalledError, ProcessFailedError, OSError) as error:
        if given.format == "json":
            sys.stderr.write(json.dumps({"error": {"message": str(error)}}) + "\n")
        else:
            sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    if given.format == "json":
        report = {
            "folder": str(project.folder),
            "files": project.files,
            "compiler": project.compiler or None,
        }
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(
            f"{given.name}: {', '.join(project.files)}\n"
            f"try it: cd {given.name} && python -m pytest\n"
        )
