"""For tests of extensions and clients: a real daemon of one's own, for as long as a block lasts.

    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        async with extension(ebpfd, "my_extension"), attached(client, "drop.o", "passing") as it:
            answer = await client.fire("passing", data=b"...")

The daemon is the installed one, a process of its own; nothing here imports it.  For pytest,
``ebpfd_sdk.testing.fixtures`` has it as fixtures.  ``fake_daemon`` needs none: there, programs are
functions of Python.
"""

from ebpfd_sdk.testing._daemon import DaemonProcess, NotInstalledError, daemon
from ebpfd_sdk.testing._extension import ExtensionProcess, extension
from ebpfd_sdk.testing._fake import FakeDaemon, FakeLink, fake_daemon
from ebpfd_sdk.testing._object import constant_program, object_file
from ebpfd_sdk.testing._process import PATIENCE_S, ChildProcess, ProcessFailedError
from ebpfd_sdk.testing._steps import Attached, attached, collect, until

__all__ = [
    "PATIENCE_S",
    "Attached",
    "ChildProcess",
    "DaemonProcess",
    "ExtensionProcess",
    "FakeDaemon",
    "FakeLink",
    "NotInstalledError",
    "ProcessFailedError",
    "attached",
    "collect",
    "constant_program",
    "daemon",
    "extension",
    "fake_daemon",
    "object_file",
    "until",
]
