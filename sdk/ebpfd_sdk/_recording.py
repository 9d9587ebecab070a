"""Writing a recording to a file as it comes."""

from dataclasses import dataclass
from pathlib import Path

from ebpfd_api.recording_file import HEADER, frame
from ebpfd_api.v1 import recordings_pb2
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._decode import check


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded."""

    file: Path
    events: int
    lost: int
    """Events that ran meanwhile and are missing: the file was written too slowly."""

    reason: str
    """Why the daemon ended it before it was enough; empty: it was."""


async def write_recording(
    daemon: Daemon, request: recordings_pb2.RecordRequest, path: Path, *, overwrite: bool
) -> Recorded:
    """Write entries until the last one; a recording that is refused leaves no file.

    FileExistsError: there is one, which is not to be overwritten.
    """
    entries = daemon.follow(daemon.recordings.Record, request)
    try:
        first = await anext(entries)
        check(first.status)
        # Writes go to the system's memory; one that waits for a disk holds up this loop alone.
        with path.open("wb" if overwrite else "xb") as file:
            file.write(HEADER)
            file.write(frame(first.entry.SerializeToString()))
            file.flush()  # whoever waits for the file knows that events are recorded from now on
            async for each in entries:
                file.write(frame(each.entry.SerializeToString()))
                if each.entry.HasField("end"):
                    end = each.entry.end
                    return Recorded(path, end.events, end.lost, end.reason)
    finally:
        await entries.aclose()
    raise daemon.connection.unavailable("the daemon ended before the recording did")
