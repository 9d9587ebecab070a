"""A report of `verify.py` as two tables, beside the programs that they are about.

python tests/bench/verify.py > report.json
python tests/bench/verify_table.py report.json
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.verifier import corpus  # noqa: E402 (found through the line above)

Row: TypeAlias = dict[str, Any]

_MS: Final = 1e6
_LOOPS: Final = """\
# Loops, and what verifiers make of them

Each program is safe and ends. `NAME.c` says on its first line what it shows, `NAME.o` is of the
sample type, `NAME.xdp.o` the same source for the kernel; `make programs` compiles them. The table
is what `tests/bench/verify.py` measured: instructions that Linux processed, reasons of refusals.
"""
_HOSTILE: Final = """
## Hostile programs

Made of instruction bytes by `tests/bench/verify_hostile.py`. What counts is that a judge decides.
"""
_PAIRS: Final = """\
# Unsafe programs and their safe twins

Each file has a program `unsafe` and a program `safe`, which differ as little as the mistake allows.
*From* is what it goes back to: section, and number in the catalogue of bugs, of the notes about
verifiers from which these were made. *Trips* is the fault with which the checked interpreter
ends the unsafe program on the input that the file gives. Without one there is nothing to trip over:
a byte that was not written, or an address that leaks, is no fault at run time.

Linux judges the same source as an XDP program. What it accepts from root it may refuse to a user
without CAP_PERFMON: *only root*. A verdict on the wrong side is **bold**.
"""


def judgement(row: Row, judge: str) -> str:
    """A judge's answer in a word, with its work."""
    said = row["judged"][judge]
    steps = f", {said['steps']:,}" if said.get("steps") else ""
    time = f", {said['ns'] / _MS:.2f} ms" if "ns" in said else ""
    return f"{said['verdict']}{steps}{time}"


def reason(row: Row, judge: str) -> str:
    """Why a judge refuses, short enough for a table."""
    text = str(row["judged"][judge].get("reason", "")).partition(" (")[0]
    return text.replace("|", "\\|").rstrip(".")


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Markdown of a table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def loops(rows: Sequence[Row]) -> str:
    """The table of loops, and of hostile programs."""
    shows = {source.name: source.shows for source in corpus.sources(corpus.LOOPS)}
    head = ["program", "shows", "slots", "Linux: instructions, time", "prevail: time", "why not"]
    found = [
        [
            f"`{row['program']}`",
            shows[row["program"]],
            str(row["slots"]),
            judgement(row, "linux"),
            judgement(row, "prevail"),
            both_reasons(row),
        ]
        for row in rows
        if row["table"] == "loops"
    ]
    hostile = [
        [f"`{row['program']}`", str(row["slots"]), judgement(row, "linux"), judged_prevail(row)]
        for row in rows
        if row["table"] == "hostile"
    ]
    counts = summary([row for row in rows if row["table"] == "loops"])
    lines = [
        *table(head, found),
        "",
        counts,
        _HOSTILE,
        *table(["program", "slots", "Linux: instructions, time", "prevail: time, memory"], hostile),
    ]
    return _LOOPS + "\n" + "\n".join(lines) + "\n"


def judged_prevail(row: Row) -> str:
    """With the memory that it took."""
    said = row["judged"]["prevail"]
    memory = f", {said['peak_bytes'] >> 20} MiB" if "peak_bytes" in said else ""
    return judgement(row, "prevail") + memory


def both_reasons(row: Row) -> str:
    """Why Linux refuses, and why prevail does."""
    reasons = {"Linux": reason(row, "linux"), "prevail": reason(row, "prevail")}
    return "; ".join(f"{judge}: {text}" for judge, text in reasons.items() if text)


def summary(rows: Sequence[Row]) -> str:
    """How many each of the two accepts."""
    linux, prevail = (
        {row["program"] for row in rows if accepted(row, judge)} for judge in ("linux", "prevail")
    )
    return (
        f"Of {len(rows)} loops Linux accepts {len(linux)}, prevail {len(prevail)}, "
        f"both {len(linux & prevail)}, neither {len(rows) - len(linux | prevail)}."
    )


def pairs(rows: Sequence[Row]) -> str:
    """The table of pairs."""
    by_name = {row["program"]: row for row in rows if row["table"] == "pairs"}
    head = ["pair", "what is wrong", "because", "from", "trips"]
    head += ["unsafe: Linux", "unsafe: prevail", "safe: Linux", "safe: prevail"]
    found = [
        [
            f"`{source.name}`",
            source.shows,
            source.because,
            source.facts,
            source.fault or "-",
            *sides(by_name, source.name),
        ]
        for source in corpus.sources(corpus.PAIRS)
    ]
    return _PAIRS + "\n" + "\n".join([*table(head, found), "", wrong(by_name)]) + "\n"


def sides(by_name: dict[str, Row], name: str) -> Iterator[str]:
    """The two judges on the two programs."""
    for program, right in (("unsafe", "refused"), ("safe", "accepted")):
        row = by_name[f"{name}/{program}"]
        for judge in ("linux", "prevail"):
            verdict = row["judged"][judge]["verdict"]
            strict = row["judged"].get("linux_strict", {}).get("verdict")
            if judge == "linux" and strict == "refused":
                yield "only root"
            elif verdict == right:
                yield verdict
            else:
                why = reason(row, judge)
                yield f"**{verdict}**" + (f": {why}" if why else "")


def wrong(by_name: dict[str, Row]) -> str:
    """Who was wrong how often."""
    unsafe = [row for row in by_name.values() if not row["safe"]]
    safe = [row for row in by_name.values() if row["safe"]]
    lines: list[str] = []
    for judge in ("linux", "prevail"):
        taken = [row["judged"] for row in unsafe if accepted(row, judge)]
        refused = sum(not accepted(row, judge) for row in safe)
        line = f"{judge.capitalize()} accepts {len(taken)} unsafe programs"
        line += f" and refuses {refused} safe ones."
        if judge == "linux":
            root = sum(said["linux_strict"]["verdict"] == "refused" for said in taken)
            line += f" Of those unsafe ones it accepts {root} from root only."
        lines.append(line)
    return "  \n".join(lines)


def accepted(row: Row, judge: str) -> bool:
    """Whether a judge accepts a program."""
    return bool(row["judged"][judge]["verdict"] == "accepted")


if __name__ == "__main__":
    every = json.loads(Path(sys.argv[1]).read_text())["rows"]
    (corpus.LOOPS / "README.md").write_text(loops(every))
    (corpus.PAIRS / "README.md").write_text(pairs(every))
