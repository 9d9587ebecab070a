"""Write the exact version of every dependency into the workspace's pyproject.toml.

``make lock`` runs it: it resolves everything anew, without the pins of before, and puts the
versions between the marker lines.  A lock file would do the same, but it names the index that
answered, which is nobody else's business.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKSPACE = ROOT / "pyproject.toml"
MARKED = re.compile(r"(# pins: written by `make lock`\n).*?(# end of pins\n)", re.DOTALL)


def main() -> None:
    """Resolve, and rewrite the marked lines."""
    uv = sys.argv[1]
    before = WORKSPACE.read_text()
    try:
        write_pins(before, "")
        subprocess.run([uv, "lock", "--upgrade", "--quiet"], cwd=ROOT, check=True)
        runtime = locked()
        build = compiled(uv, build_requirements())
    except BaseException:
        WORKSPACE.write_text(before)
        raise
    write_pins(
        before,
        f"constraint-dependencies = {array(runtime)}build-constraint-dependencies = {array(build)}",
    )


def write_pins(text: str, pins: str) -> None:
    """Put *pins* between the markers of *text*, into the file."""
    WORKSPACE.write_text(MARKED.sub(lambda found: found[1] + pins + found[2], text))


def locked() -> list[str]:
    """``name==version`` of everything in uv.lock that is not ours."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return sorted(
        f"{package['name']}=={package['version']}"
        for package in lock["package"]
        if not {"editable", "virtual"} & set(package["source"])
    )


def build_requirements() -> set[str]:
    """What the distributions are built with."""
    files = [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("daemon/vm/pyproject.toml")]
    return {
        requirement
        for file in files
        for requirement in tomllib.loads(file.read_text())["build-system"]["requires"]
    } | {"editables"}  # what hatchling asks for when it builds an editable install


def compiled(uv: str, requirements: set[str]) -> list[str]:
    """*requirements* with all that they need, at exact versions."""
    done = subprocess.run(
        [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--universal",
         "--python-version", "3.11", "-"],
        input="\n".join(sorted(requirements)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted(line.strip() for line in done.stdout.splitlines() if "==" in line)


def array(items: list[str]) -> str:
    """A TOML array, one item a line."""
    lines = "".join(f"    {quoted(item)},\n" for item in items)
    return f"[\n{lines}]\n"


def quoted(item: str) -> str:
    """A TOML string."""
    return '"' + item.replace('"', '\\"') + '"'


if __name__ == "__main__":
    main()
