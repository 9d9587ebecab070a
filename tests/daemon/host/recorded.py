"""Recordings of tests: taken from a world, through the form that files have, and run again."""

from collections.abc import Iterable, Mapping, Sequence

from ebpfd.host.recording import Recording
from ebpfd.host.replay import Instead, Replay, Report, instead_of
from ebpfd.objects.recordings import Entry, RecordedProgram
from ebpfd.rpc.recording_codec import decode_entry, encode_entry
from ebpfd_api.v1 import recordings_pb2
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.world import World, object_file


def begun(w: World, link_id: int = 0, limit: int = 0) -> Recording:
    """Record the sample's hook, or one link of it."""
    return w.recordings.begin(ATTACH_TYPE, "sample_ext", link_id, limit)


async def entries_of(recording: Recording) -> list[Entry]:
    """End a recording, and take what is in it as it is read from a file."""
    recording.end()
    return [through_wire(each) async for each in recording.entries()]


def through_wire(entry: Entry) -> Entry:
    """What is read of what was written."""
    content = encode_entry(entry).SerializeToString()
    decoded = decode_entry(recordings_pb2.RecordingEntry.FromString(content))
    assert decoded is not None
    return decoded


def programs(entries: Iterable[Entry]) -> Mapping[int, str]:
    """Names of the recorded programs, by id."""
    return {each.id: each.name for each in entries if isinstance(each, RecordedProgram)}


def replayed(
    entries: Sequence[Entry], instead: Instead | None = None, *, show: int = 1000
) -> Report:
    """Run all of it again."""
    replay = Replay(instead, show=show)
    for entry in entries:
        replay.take(entry)
    return replay.report


def instead(entries: Sequence[Entry], name: str, program: str = "", of: str = "") -> Instead:
    """A program of an object file in place of what was recorded."""
    return instead_of(programs(entries), object_file(name), program, of)
