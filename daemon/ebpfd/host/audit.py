"""The audit log: who has changed what, and what came of it, one line of JSON each.

    {"time": "...", "who": {"pid": 7, "uid": 0, "gid": 0}, "what": "program.load",
     "outcome": "SUCCESS", "programs": [3], ...}

``who`` is a process, a certificate, or null for one without a token.  What can be done as often as
one likes, a write to a map or a call that is refused, has a line the first time, and then one with
a ``count`` for each span of time in which there were more.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from ebpfd.access import Summaries
from ebpfd.host.audit_file import AuditFile
from ebpfd.host.peers import UNKNOWN, Peer

SPAN_S: Final = 10.0
"""For how long what happens often is counted."""

MAX_KINDS: Final = 256
"""Lines of counted things in that time; the rest is one line together."""

MAX_TEXT: Final = 500
"""Characters of a text in a line."""

Facts: TypeAlias = Mapping[str, Any]


class Audit:
    """Writes lines, if there is a *file* for them."""

    def __init__(self, file: AuditFile | None = None) -> None:
        self.file = file
        self.begun = False
        """Whether it tells of a daemon that serves, and so of its end."""

        self._often = Summaries[tuple[Peer, str, str, str]](MAX_KINDS)

    def lost(self) -> int:
        """Lines that could not be written."""
        return 0 if self.file is None else self.file.lost

    async def record(self, what: str, who: Peer, outcome: str, **facts: Any) -> None:
        """Something has been done, or not, as *outcome* says; returns when it is written."""
        if self.file is not None:
            await asyncio.shield(self.file.append(_line(what, who, outcome, facts)))

    def note(self, what: str, who: Peer, outcome: str, **facts: Any) -> None:
        """As ``record``, of what nobody waits for."""
        if self.file is not None:
            self.file.append(_line(what, who, outcome, facts))

    async def count(self, what: str, who: Peer, outcome: str, thing: str, **facts: Any) -> None:
        """As ``record``, of what may be done often to one *thing*; facts are of the first time."""
        if self.file is not None and self._often.note((who, what, outcome, thing)):
            await self.record(what, who, outcome, thing=thing, **facts)

    async def keep_counts(self) -> None:
        """Tell what was counted, for ever."""
        while True:
            await asyncio.sleep(SPAN_S)
            self.end_span()

    def end_span(self) -> None:
        """Tell what was counted so far."""
        for kind, count in self._often.end_span():
            if kind is None:
                self.note("others", UNKNOWN, "", count=count)
            else:
                who, what, outcome, thing = kind
                self.note(what, who, outcome, thing=thing, count=count)


NO_AUDIT: Final = Audit()


def _line(what: str, who: Peer, outcome: str, facts: Facts) -> str:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "who": _who(who),
        "what": what,
        "outcome": outcome,
        **{name: _short(fact) for name, fact in facts.items()},
    }
    return json.dumps(line)


def _who(peer: Peer) -> Facts | None:
    if process := peer.process:
        return {"pid": process.pid, "uid": process.uid, "gid": process.gid}
    if certificate := peer.certificate:
        return {"certificate": certificate.names, "address": certificate.address}
    return None


def _short(fact: Any) -> Any:
    return fact[:MAX_TEXT] if isinstance(fact, str) else fact
