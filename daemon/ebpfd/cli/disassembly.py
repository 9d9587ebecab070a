"""How ``ebpfctl program disassemble`` shows instructions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ebpfd.cli.echo import plain
from ebpfd.cli.output import Json
from ebpfd.cli.rejections import source_json

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
    return {
        "pc": row.pc,
        "raw": row.raw.hex(),
        "text": row.text,
        "label": row.label,
        "reference": row.reference,
        "source": source_json(row.source),
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
            yield plain(f"{row.label}{section}:")
        # Line 0 is what compilers give to what they have added themselves.
        if row.source is not None and row.source.line and row.source != shown:
            shown = row.source
            yield plain(f"    ; {shown.file}:{shown.line}: {shown.text.strip()}")
        reference = f"  ; {row.reference}" if row.reference else ""
        yield plain(f"    {row.pc:>5}  {row.raw.hex(' '):<47}  {row.text}{reference}")
