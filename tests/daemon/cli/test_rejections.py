"""A rejection for people fits on one screen, and says what to do; for programs it is whole."""

import dataclasses
import json
from typing import Final

import pytest

from ebpfd.cli.rejections import print_rejection, rejection_json, rejection_text
from ebpfd_sdk import (
    PathStep,
    RegisterChange,
    RegisterEvent,
    RegisterFact,
    Rejection,
    SourceLine,
    Way,
    Witness,
)

SCREEN: Final = 24


def line(number: int, text: str, column: int = 1) -> SourceLine:
    """A line of the program."""
    return SourceLine("drop.c", number, column, text)


BARE: Final = Rejection(
    program="drop",
    section="parcel",
    pc=6,
    instruction="r0 = *(u64 *)(r0 + 0)",
    reason="the result of bpf_map_lookup_elem may be NULL here",
    hint="check it first: if (!value) return 0;",
    detail="",
    source=line(17, "    return *value;", 12),
    judge="ebpfd 0.1.0",
)
BRANCH: Final = PathStep(
    Way.BRANCH,
    2,
    line(12, "    if (packet + 8 > end)"),
    "data + 8 <= data_end",
    taken=False,
    next_pc=3,
    next=line(14, ""),
    times=1,
)
FULL: Final = dataclasses.replace(
    BARE,
    kind="maybe-null",
    obligation="r0 is not NULL",
    fact="r0 may be NULL: it comes from bpf_map_lookup_elem",
    proof="the check at line 13 is of another result",
    path=(
        BRANCH,
        PathStep(Way.ENTER, 3, line(14, "find(key)"), "find", False, 0, None, 1),
        PathStep(Way.ROUND, 4, None, "", False, 0, None, 3),
        PathStep(Way.LEAVE, 5, line(15, ""), "find", False, 0, None, 1),
    ),
    registers=(RegisterFact(0, "a value of map values, or NULL"),),
    history=(RegisterEvent(RegisterChange.RETURNED, 5, line(16, ""), "r0 is what it returns"),),
    witness=Witness(
        context=b"\1\2",
        data=b"",
        meta_length=0,
        notes=("values has no key 01000000",),
        outcome="8 bytes are read at NULL",
        pc=6,
        code=31,
    ),
)


def test_what_any_judge_says_is_short() -> None:
    """Where, what, the line with its column, the instruction, and what to write instead."""
    assert rejection_text(BARE).plain.splitlines() == [
        "  drop.c:17:12: drop: the result of bpf_map_lookup_elem may be NULL here [ebpfd 0.1.0]",
        "      17 | return *value;",
        "         |        ^",
        "    pc 6: r0 = *(u64 *)(r0 + 0)",
        "    hint:    check it first: if (!value) return 0;",
    ]


def test_what_our_judge_says_is_whole() -> None:
    """What was needed and known, how control came there, and an input that goes wrong."""
    assert rejection_text(FULL).plain.splitlines() == [
        f"  drop.c:17:12: drop: {FULL.reason} [maybe-null, ebpfd 0.1.0]",
        "      17 | return *value;",
        "         |        ^",
        "    pc 6: r0 = *(u64 *)(r0 + 0)",
        "    needed:  r0 is not NULL",
        "    known:   r0 may be NULL: it comes from bpf_map_lookup_elem",
        "    but:     the check at line 13 is of another result",
        "    here:    r0 a value of map values, or NULL",
        "    path:    line 12: if (packet + 8 > end) -- data + 8 <= data_end, on to line 14",
        "             line 14: find(key) -- calls find",
        "             instruction 4 -- another round (3 times)",
        "             line 15 -- find returns",
        "    history: line 16: r0 is what it returns",
        "    fails:   8 bytes are read at NULL (INVALID_POINTER at pc 6)",
        "             data: none; context: 2 bytes, 0102",
        "             values has no key 01000000",
        "    hint:    check it first: if (!value) return 0;",
    ]


def test_the_longest_rejection_fits_on_a_screen() -> None:
    """What is long loses its middle, and long bytes their end."""
    assert FULL.witness is not None
    long = dataclasses.replace(
        FULL,
        path=tuple(dataclasses.replace(BRANCH, pc=pc) for pc in range(500)),
        registers=FULL.registers * 5,
        history=FULL.history * 40,
        witness=dataclasses.replace(FULL.witness, data=b"\1\2" * 750, meta_length=4),
    )
    lines = rejection_text(long, width=80).plain.splitlines()
    assert len(lines) <= SCREEN
    assert sum("more ..." in each for each in lines) == 3
    assert any("data: 1500 bytes, 0102" in each and "... (metadata: 4)" in each for each in lines)
    assert max(len(each) for each in lines if "line 12" in each) <= 80


def test_an_undecided_program_is_called_so() -> None:
    """Its reason says what could not be shown."""
    assert "drop: undecided: the result" in rejection_text(BARE, undecided=True).plain


@pytest.mark.parametrize("source", [None, line(17, "   ", 2), line(17, "x", 40)])
def test_a_place_that_is_not_known_is_not_shown(source: SourceLine | None) -> None:
    """No line, an empty one, or a column beyond it."""
    text = rejection_text(dataclasses.replace(BARE, source=source, pc=None, hint="")).plain
    assert "^" not in text
    assert len(text.splitlines()) == (2 if source and source.text.strip() else 1)


def test_no_file_can_paint_a_terminal() -> None:
    """What comes from debug information is shown, not obeyed."""
    evil = dataclasses.replace(BARE, program="a\x1b[31m\tb", source=line(1, "\x1b]0;x\x07"))
    assert "\x1b" not in rejection_text(evil).plain
    assert "a?[31m b" in rejection_text(evil).plain


@pytest.mark.parametrize("err", [False, True])
@pytest.mark.parametrize("terminal", [False, True])
def test_colours_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    err: bool,
    terminal: bool,
) -> None:
    """Reason and hint stand out there; a pipe gets plain text, in lines as long as they are."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "70")
    print_rejection(FULL, err=err)
    printed = capsys.readouterr()
    said = printed.err if err else printed.out
    assert ("\x1b[1;31mthe result of" in said) is terminal
    assert ("\x1b[32m    hint:" in said) is terminal
    if not terminal:
        assert said == rejection_text(FULL).plain + "\n"


def test_json_has_the_whole_structure() -> None:
    """Also what people are spared, and bytes as hexadecimal."""
    value = json.loads(json.dumps(rejection_json(FULL)))
    assert {name: value[name] for name in ("kind", "obligation", "fact", "proof")} == {
        "kind": "maybe-null",
        "obligation": "r0 is not NULL",
        "fact": "r0 may be NULL: it comes from bpf_map_lookup_elem",
        "proof": "the check at line 13 is of another result",
    }
    assert [each["way"] for each in value["path"]] == ["branch", "enter", "round", "leave"]
    assert value["path"][0] == {
        "way": "branch",
        "pc": 2,
        "source": {
            "file": "drop.c",
            "line": 12,
            "column": 1,
            "text": "    if (packet + 8 > end)",
        },
        "text": "data + 8 <= data_end",
        "taken": False,
        "next_pc": 3,
        "next": {"file": "drop.c", "line": 14, "column": 1, "text": ""},
        "times": 1,
    }
    assert value["registers"] == [{"register": 0, "text": "a value of map values, or NULL"}]
    assert (value["history"][0]["change"], value["history"][0]["pc"]) == ("returned", 5)
    assert value["witness"] == {
        "context": "0102",
        "data": "",
        "meta_length": 0,
        "notes": ["values has no key 01000000"],
        "outcome": "8 bytes are read at NULL",
        "pc": 6,
        "code": 31,
        "result": "INVALID_POINTER",
    }
    assert rejection_json(BARE)["witness"] is None
