"""Batches of a recording are taken apart without a change to any event."""

import struct
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.objects.recordings import RecordedBatch


def u32s(numbers: list[int]) -> bytes:
    """Numbers as a column."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


EVENTS = st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30)), min_size=1, max_size=8)


def batch(events: list[tuple[bytes, bytes]], *, changed: bool) -> RecordedBatch:
    """A batch of these data and tapes."""
    count = len(events)
    data, tapes = [each for each, _ in events], [each for _, each in events]
    contexts = b"".join(bytes([at]) * 4 for at in range(count))
    return RecordedBatch(
        link_id=1,
        program_id=2,
        count=count,
        contexts=contexts,
        data=b"".join(data),
        data_lengths=u32s(list(map(len, data))),
        meta_lengths=u32s([len(each) // 2 for each in data]) if changed else b"",
        origin=(1, 2, None),
        codes=bytes(range(count)),
        results=u32s(list(range(count))),
        contexts_after=contexts[::-1] if changed else b"",
        data_after=b"".join(data)[::-1] if changed else b"",
        lane=3,
        tape=b"".join(tapes),
        tape_lengths=u32s(list(map(len, tapes))),
    )


def events_of(whole: RecordedBatch) -> list[tuple[object, ...]]:
    """Each event with all that belongs to it."""
    count = whole.count
    empty = [b""] * count
    return list(
        zip(
            whole.contexts_of(whole.contexts),
            whole.data_of(whole.data),
            whole.data_of(whole.data_after) if whole.data_after else empty,
            whole.contexts_of(whole.contexts_after) if whole.contexts_after else empty,
            whole.codes,
            struct.unpack(f"<{count}I", whole.results),
            struct.unpack(f"<{count}I", whole.meta_lengths) if whole.meta_lengths else empty,
            whole.tapes(),
            strict=True,
        )
    )


@given(EVENTS, st.booleans(), st.integers(1, 200))
def test_pieces_have_all_events_in_order(
    events: list[tuple[bytes, bytes]], changed: bool, limit: int
) -> None:
    """Each piece is small, or has one event."""
    whole = batch(events, changed=changed)
    pieces = list(whole.pieces(limit))
    assert [event for piece in pieces for event in events_of(piece)] == events_of(whole)
    assert all(piece.count == 1 or piece.size <= limit for piece in pieces)


@given(EVENTS, st.integers(1, 10))
def test_the_first_events_of_a_batch(events: list[tuple[bytes, bytes]], count: int) -> None:
    """All of it if there are no more."""
    whole = batch(events, changed=True)
    assert events_of(whole.first(count)) == events_of(whole)[:count]


def test_the_data_of_one_event_needs_no_length() -> None:
    """As in a batch of one."""
    one = batch([(b"abc", b"x")], changed=False)
    bare = replace(one, data_lengths=b"")
    assert bare.data_of(bare.data) == [b"abc"]
    assert list(bare.pieces()) == [bare]
