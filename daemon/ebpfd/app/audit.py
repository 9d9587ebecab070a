"""The audit log's life: from before the first change to after the last one."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from ebpfd.app.locks import InUseError
from ebpfd.host.audit import NO_AUDIT, Audit
from ebpfd.host.audit_file import AuditFile
from ebpfd.host.peers import Peer, Process
from ebpfd.host.services import Services


@asynccontextmanager
async def auditing(path: Path | None) -> AsyncGenerator[Audit]:
    """An audit log in the file *path*, if there is to be one."""
    if path is None:
        yield NO_AUDIT
        return
    file = AuditFile(path)
    try:
        await asyncio.to_thread(file.check)
    except OSError as error:
        raise InUseError(
            f"audit {path} cannot be written: {error.strerror}: choose another --audit"
        ) from None
    audit = Audit(file)
    try:
        async with Services() as services:
            services.start(audit.keep_counts(), name="audit")
            yield audit
    finally:
        audit.end_span()
        if audit.begun:
            audit.note("daemon.stop", itself(), "SUCCESS")
        await asyncio.to_thread(file.close)


async def tell_of_start(audit: Audit) -> None:
    """The daemon serves; one that is refused before leaves no line."""
    audit.begun = True
    await audit.record("daemon.start", itself(), "SUCCESS", version=version("ebpfd"))


def itself() -> Peer:
    """The daemon, as who has done something."""
    return Peer(Process(os.getpid(), os.geteuid(), os.getegid()))
