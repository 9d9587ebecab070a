"""How ``ebpfctl program disassemble`` shows instructions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ebpfd.cli.output import Json

if TYPE_CHECKING:
    from ebpfd_sdk import Disassembly, Instruction, SourceLine


def disassembly_json(program: "Disassembly") -> dict[str, Json]:
    """A program with all its instructions."""
    return {
        "program": program.program,
        "section": program.section,
        "instructions": [_row_json(each) for each in program.instructions],
    }


def _row_json(row: "Instruction") -> dict[str, Json]:
    source = row.source
    return {
        "pc": row.pc,
        "raw": row.raw.hex(),
        "text": row.text,
        "label": row.label,
        "reference": row.reference,
        "source": source
        and {
            "file": source.file,
            "line": source.line,
            "column": source.column,
            "text": source.text,
        },
    }


def disassembly_lines(program: "Disassembly") -> Iterator[str]:
    """Labels at the margin, source lines where they change, instructions below them.

    ```text
        count (sample_ext):
            ; count.c:12: u32 key = 0;
            3  18 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00  r1 = map 0  ; by_protocol
    ```
    """
    shown: SourceLine | None = None
    for row in program.instructions:
        if row.label:
            section = f" ({program.section})" if row.pc == 0 else ""
            yield f"{row.label}{section}:"
        if row.source is not None and row.source != shown:
            yield f"    ; {row.source.file}:{row.source.line}: {row.source.text.strip()}"
        shown = row.source
        reference = f"  ; {row.reference}" if row.reference else ""
        yield f"    {row.pc:>5}  {row.raw.hex(' '):<47}  {row.text}{reference}"
