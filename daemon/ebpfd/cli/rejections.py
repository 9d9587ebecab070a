"""Rejections for people and for programs: where, what, why, and what to write instead.

For people a rejection fits on one screen of 24 lines: what is long loses its middle.  Colours are
for terminals only.  Nothing that a program's debug information says reaches a terminal as a
control character.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ebpfd.cli.echo import plain
from ebpfd.cli.output import Json

if TYPE_CHECKING:
    from rich.text import Text

    from ebpfd_sdk import PathStep, RegisterEvent, Rejection, SourceLine, Witness

PATH_LINES: Final = 6
HISTORY_LINES: Final = 4
REGISTER_LINES: Final = 2
SOURCE_WIDTH: Final = 60
HEX_WIDTH: Final = 32
LABEL_WIDTH: Final = 9


def print_rejection(rejection: "Rejection", *, err: bool = False, undecided: bool = False) -> None:
    """Print *rejection* for people, to standard output or error."""
    # It takes as long to import as all of `--help`.
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=err, highlight=False, soft_wrap=True)
    width = console.width if console.is_terminal else None
    console.print(rejection_text(rejection, undecided=undecided, width=width))


def rejection_text(
    rejection: "Rejection", *, undecided: bool = False, width: int | None = None
) -> "Text":
    """A rejection for people, with its colours; what leads there is cut to *width*."""
    from rich.text import Text  # noqa: PLC0415 (same)

    source, text = rejection.source, Text()
    where = f"{source.file}:{source.line}:{source.column}: " if source else ""
    text.append(f"  {plain(where + rejection.program)}: ")
    if undecided:
        text.append("undecided: ", "bold yellow")
    text.append(plain(rejection.reason), "bold red")
    text.append(f" [{', '.join(filter(None, (rejection.kind, rejection.judge)))}]", "dim")
    if source and source.text.strip():
        _append_source(text, source)
    if rejection.pc is not None:
        text.append(f"\n    pc {rejection.pc}: {plain(rejection.instruction)}")
    for label, lines, style in _parts(rejection):
        for index, line in enumerate(lines):
            row = f"    {'' if index else label:<{LABEL_WIDTH}}{plain(line)}"
            text.append("\n" + (_cut(row, width) if width and style == "dim" else row), style)
    return text


def rejection_json(rejection: "Rejection") -> dict[str, Json]:
    """A rejection's fields."""
    return {
        "program": rejection.program,
        "section": rejection.section,
        "pc": rejection.pc,
        "instruction": rejection.instruction,
        "reason": rejection.reason,
        "hint": rejection.hint,
        "detail": rejection.detail,
        "judge": rejection.judge,
        "source": source_json(rejection.source),
        "kind": rejection.kind,
        "obligation": rejection.obligation,
        "fact": rejection.fact,
        "proof": rejection.proof,
        "path": [_step_json(each) for each in rejection.path],
        "registers": [
            {"register": each.register, "text": each.text} for each in rejection.registers
        ],
        "history": [_event_json(each) for each in rejection.history],
        "witness": _witness_json(rejection.witness),
    }


def _parts(rejection: "Rejection") -> "Iterable[tuple[str, list[str], str]]":
    """Titles, lines and styles, in the order of reading."""
    yield "needed:", _some(rejection.obligation), ""
    yield "known:", _some(rejection.fact), ""
    yield "but:", _some(rejection.proof), ""
    here = [f"r{each.register} {each.text}" for each in rejection.registers]
    yield "here:", _abridged(here, REGISTER_LINES), ""
    yield "path:", _abridged([_step_text(each) for each in rejection.path], PATH_LINES), "dim"
    history = [f"{_place(each)}: {each.text}" for each in rejection.history]
    yield "history:", _abridged(history, HISTORY_LINES), "dim"
    yield "fails:", _witness_lines(rejection.witness), ""
    yield "hint:", _some(rejection.hint), "green"


def _append_source(text: "Text", source: "SourceLine") -> None:
    line = source.text.strip()
    text.append(f"\n  {source.line:>6} | {plain(line)}")
    column = source.column - 1 - (len(source.text) - len(source.text.lstrip()))
    if 0 <= column < len(line):
        text.append(f"\n         | {' ' * column}")
        text.append("^", "bold red")


def _some(line: str) -> list[str]:
    return [line] if line else []


def _abridged(lines: Sequence[str], most: int) -> list[str]:
    """All *lines*, or as many without those in the middle."""
    if len(lines) <= most:
        return list(lines)
    head = (most - 1) // 2
    tail = most - 1 - head
    left_out = len(lines) - head - tail
    return [*lines[:head], f"... {left_out} more ...", *lines[-tail:]]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _step_text(step: "PathStep") -> str:
    from ebpfd_sdk import Way  # noqa: PLC0415 (beside the SDK's own late import)

    said = _place(step)
    if step.source and step.source.text.strip():
        said += f": {_cut(' '.join(step.source.text.split()), SOURCE_WIDTH)}"
    match step.way:
        case Way.BRANCH:
            on = f"line {step.next.line}" if step.next else f"instruction {step.next_pc}"
            said += f" -- {step.text}, on to {on}"
        case Way.ENTER:
            said += f" -- calls {step.text}"
        case Way.LEAVE:
            said += f" -- {step.text} returns"
        case Way.ROUND:
            said += " -- another round"
        case Way.UNKNOWN:
            said += f" -- {step.text}"
    return said if step.times <= 1 else f"{said} ({step.times} times)"


def _place(at: "PathStep | RegisterEvent") -> str:
    return f"line {at.source.line}" if at.source else f"instruction {at.pc}"


def _witness_lines(witness: "Witness | None") -> list[str]:
    if witness is None:
        return []
    from ebpfd_api.result import result_name  # noqa: PLC0415 (same)

    meta = f" (metadata: {witness.meta_length})" if witness.meta_length else ""
    lines = [
        f"{witness.outcome} ({result_name(witness.code)} at pc {witness.pc})",
        f"data: {_bytes(witness.data)}{meta}; context: {_bytes(witness.context)}",
    ]
    return [*lines, "; ".join(witness.notes)] if witness.notes else lines


def _bytes(content: bytes) -> str:
    """How many bytes, and those at the start."""
    size = f"{len(content)} byte{'' if len(content) == 1 else 's'}"
    if not content:
        return "none"
    if not any(content):
        return f"{size}, all 0"
    shown = content.hex()
    return f"{size}, {shown if len(shown) <= HEX_WIDTH else f'{shown[:HEX_WIDTH]}...'}"


def source_json(source: "SourceLine | None") -> dict[str, Json] | None:
    """A line of source, if it is known."""
    if source is None:
        return None
    return {
        "file": source.file,
        "line": source.line,
        "column": source.column,
        "text": source.text,
    }


def _step_json(step: "PathStep") -> dict[str, Json]:
    return {
        "way": step.way.name.lower(),
        "pc": step.pc,
        "source": source_json(step.source),
        "text": step.text,
        "taken": step.taken,
        "next_pc": step.next_pc,
        "next": source_json(step.next),
        "times": step.times,
    }


def _event_json(event: "RegisterEvent") -> dict[str, Json]:
    return {
        "change": event.change.name.lower(),
        "pc": event.pc,
        "source": source_json(event.source),
        "text": event.text,
    }


def _witness_json(witness: "Witness | None") -> dict[str, Json] | None:
    if witness is None:
        return None
    from ebpfd_api.result import result_name  # noqa: PLC0415 (same)

    return {
        "context": witness.context.hex(),
        "data": witness.data.hex(),
        "meta_length": witness.meta_length,
        "notes": list(witness.notes),
        "outcome": witness.outcome,
        "pc": witness.pc,
        "code": witness.code,
        "result": result_name(witness.code),
    }
