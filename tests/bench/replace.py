"""Whether replacing a link's program loses or doubles an event.

    python tests/bench/replace.py [--quick]

A daemon in a process of its own, events in batches of 100 at a steady rate, and a link whose
program is replaced again and again meanwhile.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Final

import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from tests.bench import report  # noqa: E402
from tests.e2e.replacing import Outcome, replaced_under_load  # noqa: E402

REPLACEMENTS: Final = 1000
REPLACEMENTS_PER_S: Final = 250
BATCH: Final = 100
EVENTS_PER_S: Final = 10_000
SENT_PER_S: Final = 11_000
"""A little more, so that the rate that is asked for is reached."""


async def run(replacements: int) -> Outcome:
    """Replace that often under load."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/ebpfd.sock"
        async with children.daemon(address, Path(folder)):
            return await replaced_under_load(
                address,
                replacements=replacements,
                replacements_per_s=REPLACEMENTS_PER_S,
                events_per_s=SENT_PER_S,
                batch=BATCH,
            )


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replacements")
    replacements = REPLACEMENTS // 10 if parser.parse_args().quick else REPLACEMENTS
    outcome = uvloop.run(run(replacements))
    bars = [
        report.bar("events lost", outcome.lost, 0, "lower"),
        report.bar("events doubled", outcome.doubled, 0, "lower"),
        report.bar("events without an answer", outcome.unanswered, 0, "lower"),
        report.bar("events that met a replaced program", outcome.stale, 0, "lower"),
        report.bar("replacements", outcome.replacements, replacements, "higher"),
        report.bar("events a second", outcome.events_per_s, EVENTS_PER_S, "higher"),
    ]
    report.emit("replace", bars, [dataclasses.asdict(outcome)])


if __name__ == "__main__":
    main()
