"""The corpora are what they claim, before any verifier is asked."""

import pytest

from tests.verifier import corpus

LOOPS = list(corpus.sources(corpus.LOOPS))
PAIRS = list(corpus.sources(corpus.PAIRS))
SUCCESS = 0


def named(source: corpus.Source) -> str:
    """How a test calls a file."""
    return source.name


def back_edges(code: bytes) -> int:
    """Jumps that lead back."""
    slots = (code[at : at + 8] for at in range(0, len(code), 8))
    jumps = (slot for slot in slots if slot[0] & 7 in {5, 6} and slot[0] & 0xF0 not in {0x80, 0x90})
    return sum(int.from_bytes(slot[2:4], "little", signed=True) < 0 for slot in jumps)


def test_there_are_enough_of_them() -> None:
    """At least 36 loops and 60 pairs, half of them with an input that shows what is wrong."""
    assert len(LOOPS) >= 36
    assert len(PAIRS) >= 60
    assert 2 * sum(bool(pair.fault) for pair in PAIRS) >= len(PAIRS)


@pytest.mark.parametrize("source", [*LOOPS, *PAIRS], ids=named)
def test_a_file_describes_itself(source: corpus.Source) -> None:
    """A sentence; of a pair also where it comes from and why it is unsafe."""
    assert source.shows.endswith(".")
    if source in PAIRS:
        assert source.facts
        assert source.because
        assert (source.input is None) == (not source.fault)


@pytest.mark.parametrize("xdp", [False, True])
@pytest.mark.parametrize("source", LOOPS, ids=named)
def test_a_loop_is_still_one(source: corpus.Source, xdp: bool) -> None:
    """The compiler left at least one jump that leads back, but where the file says otherwise."""
    [spec] = source.parsed(xdp=xdp).programs
    assert spec.name == source.name
    assert bool(back_edges(spec.instructions)) == (source.name != "small_unrolled")


@pytest.mark.parametrize("source", LOOPS, ids=named)
def test_a_loop_runs_to_its_end(source: corpus.Source) -> None:
    """On the input that takes most rounds."""
    given = source.input or corpus.Input.parse("")
    assert corpus.run(source, source.name, given) == SUCCESS


@pytest.mark.parametrize("xdp", [False, True])
@pytest.mark.parametrize("source", PAIRS, ids=named)
def test_a_pair_has_two_programs(source: corpus.Source, xdp: bool) -> None:
    """An unsafe one and its twin, which differ."""
    unsafe, safe = (corpus.program(source.parsed(xdp=xdp), name) for name in ("unsafe", "safe"))
    assert unsafe.instructions != safe.instructions


@pytest.mark.parametrize("source", [pair for pair in PAIRS if pair.input], ids=named)
def test_an_unsafe_program_trips_the_interpreter(source: corpus.Source) -> None:
    """On its input; its safe twin runs clean on the same."""
    assert source.input is not None
    assert corpus.run(source, "unsafe", source.input) == corpus.FAULTS[source.fault]
    assert corpus.run(source, "safe", source.input) == SUCCESS


@pytest.mark.parametrize("source", [pair for pair in PAIRS if not pair.input], ids=named)
def test_a_safe_program_runs(source: corpus.Source) -> None:
    """On no packet, on a short and on a long one."""
    for text in ("", "packet=4*07 number=3", "packet=128*07 number=0x80000001"):
        assert corpus.run(source, "safe", corpus.Input.parse(text)) == SUCCESS
