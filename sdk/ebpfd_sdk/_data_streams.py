"""The data streams of a session: one for short messages, one for long ones.

On one stream a message waits for those before it, and for the word of the other side that there
is room for more.  What takes long must not keep other targets' short messages waiting.
"""

from collections.abc import Callable

from ebpfd_sdk._local import LocalPrograms
from ebpfd_sdk._stream import InvokeStream


class DataStreams:
    """The streams; that for long messages is opened when there is one."""

    def __init__(
        self, open_stream: Callable[[], InvokeStream], local: LocalPrograms | None = None
    ) -> None:
        self.local = local
        """Where links are taken that need no stream; None: nowhere."""

        self._open_stream = open_stream
        self._streams = [open_stream()]
        self._lost = False

    @property
    def short(self) -> InvokeStream:
        """That of lanes that have something to send, and nothing long."""
        return self._streams[0]

    @property
    def long(self) -> InvokeStream:
        """That of lanes that have something to send, and probably something long."""
        if len(self._streams) == 1 and not self._lost:
            self._streams.append(self._open_stream())
        return self._streams[-1]

    @property
    def shorts_lately(self) -> bool:
        """Whether short messages are on their way, or were a moment ago: the next may come soon."""
        return self._streams[0].lately

    async def fires_written(self) -> None:
        """Wait until the answers to fires are on their way."""
        for stream in self._streams:
            await stream.fires_written()

    def take_heard(self) -> bool:
        """Whether the daemon has said something since the last time that this was asked."""
        heard = any(stream.heard for stream in self._streams)
        for stream in self._streams:
            stream.heard = False
        return heard

    def lose(self, reason: str) -> None:
        """Answer everything with CANCELED, now and from now on."""
        self._lost = True
        for stream in self._streams:
            stream.lose(reason)
