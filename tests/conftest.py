"""What holds for every test: nothing in the daemon may block the event loop."""

from collections.abc import Generator
from typing import Final

import grpc.aio
import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

settings.register_profile("ebpfd", deadline=None)  # a busy machine is no failure
settings.load_profile("ebpfd")

_MAY_BLOCK: Final = {
    # Start and stop: nobody is served yet, or any more.
    "ebpfd/app/locks.py": {"locked", "private_directory"},
    "ebpfd/app/listener.py": {"_removed"},
    "ebpfd/host/verification.py": {"__aexit__"},
    "importlib/metadata/__init__.py": {"version"},
    # A thread is started, or a call is put into its queue.
    "concurrent/futures/thread.py": {"submit", "shutdown"},
    # The traceback of a failure is drawn for people; services log JSON.
    "structlog/dev.py": {"__call__"},
}


@pytest.fixture(scope="session", autouse=True)
def _grpc_stays() -> None:
    """The poller of gRPC lives as long as the tests do.

    It would end with the last of gRPC's objects, and be waited for by whichever loop runs when
    that one is collected: a blocking call in the middle of some other test.
    """
    grpc.aio.init_grpc_aio()


@pytest.fixture(autouse=True)
def _loop_stays_free() -> Generator[None]:
    """A call of the daemon's that blocks while an event loop runs fails the test."""
    with blockbuster_ctx(scanned_modules=["ebpfd"], excluded_modules=["ebpfd.cli"]) as watched:
        for function in watched.functions.values():
            for file, names in _MAY_BLOCK.items():
                function.can_block_in(file, names)
        yield
