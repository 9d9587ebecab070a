"""Fixtures for pytest: say ``pytest_plugins = ["ebpfd_sdk.testing.fixtures"]`` in ``conftest.py``.

The daemon is a process of its own, so tests may be plain functions or coroutines of any plugin.
"""

from collections.abc import Generator

import pytest

from ebpfd_sdk.testing import DaemonProcess, daemon


@pytest.fixture
def ebpfd(monkeypatch: pytest.MonkeyPatch) -> Generator[DaemonProcess]:
    """A daemon of this test's own; meanwhile ``Client()`` and ``Extension()`` find it."""
    with daemon() as running:
        monkeypatch.setenv("EBPFD_ADDRESS", running.address)
        yield running
