"""Our own judge on the corpora: what it accepts, what it refuses, and how long runs can be."""

import pytest

import ebpfd_vm
from tests.verifier import corpus

LOOPS = list(corpus.sources(corpus.LOOPS))
PAIRS = list(corpus.sources(corpus.PAIRS))

NOT_PROVED = {
    "asm_remainder": "that n & ~3 and n & 3 make up n is not known to it; nor to Linux or prevail",
    "unrolled_by_4": "the same, as clang makes it",
    "binary_search": "that the distance of two ends shrinks is not followed; prevail decides",
    "tlv_one_at_least": "a step that is 1 or what was tested not to be 0; nobody else proves it",
}
"""Safe programs that our judge does not accept, and why."""

HELPER_WORK = 64
"""What the calls of one helper are charged beside instructions, in these programs, at most."""

LIMIT = 1_000_000
"""Instructions that it follows at most."""


def judged(source: corpus.Source, name: str) -> ebpfd_vm.Verdict:
    """Its verdict on program *name* of a file."""
    parsed = source.parsed()
    spec = corpus.program(parsed, name)
    return ebpfd_vm.verify(spec, parsed.maps, source.information, judges="ours")


def named(source: corpus.Source) -> str:
    """How a test calls a file."""
    return source.name


def executed(source: corpus.Source, most: int) -> int:
    """Instructions that a run on the file's input executes: the least budget that is enough."""
    given = source.input or corpus.Input.parse("")
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if corpus.run(source, source.name, given, budget=middle) == corpus.FAULTS["TIMEOUT"]:
            low = middle + 1
        else:
            high = middle
    return low


@pytest.mark.parametrize("source", LOOPS, ids=named)
def test_a_loop_is_accepted_with_a_bound_that_holds(source: corpus.Source) -> None:
    """Also on the input that takes most rounds; what is not accepted is named with its reason."""
    verdict = judged(source, source.name)
    assert verdict.accepted == (source.name not in NOT_PROVED)
    if verdict.worst_case is not None:
        given = source.input or corpus.Input.parse("")
        budget = verdict.worst_case + HELPER_WORK * len(source.parsed().programs[0].helper_ids)
        assert corpus.run(source, source.name, given, budget=budget) == 0


def test_bounds_are_tight() -> None:
    """Half of the loops can take as many instructions as is said, up to a tenth."""
    tight = 0
    for source in LOOPS:
        worst_case = judged(source, source.name).worst_case
        tight += worst_case is not None and executed(source, worst_case) >= 0.9 * worst_case
    assert 2 * tight >= len(LOOPS)


@pytest.mark.parametrize("source", PAIRS, ids=named)
def test_a_pair_is_told_apart(source: corpus.Source) -> None:
    """The unsafe program is not accepted, its safe twin is."""
    unsafe, safe = judged(source, "unsafe"), judged(source, "safe")
    assert not unsafe.accepted
    assert safe.accepted == (source.name not in NOT_PROVED)
    assert safe.accepted or not safe.decided, "what is safe is never refused for good"


@pytest.mark.parametrize("source", [*LOOPS, *PAIRS], ids=named)
def test_its_effort_is_bounded(source: corpus.Source) -> None:
    """Whatever the verdict: instructions followed, and memory."""
    names = [spec.name for spec in source.parsed().programs]
    for name in names:
        verdict = judged(source, name)
        assert verdict.steps <= LIMIT + 1
        assert verdict.peak_bytes <= 256 << 20


def test_inputs_show_what_is_wrong() -> None:
    """For at least half of the unsafe programs; then the refusal is final."""
    decided = sum(judged(source, "unsafe").decided for source in PAIRS)
    assert 2 * decided >= len(PAIRS)
