"""Start and stop: what the daemon is made of, and in which order."""

from ebpfd.app.daemon import Daemon, running
from ebpfd.app.settings import Settings, SettingsError

__all__ = ["Daemon", "Settings", "SettingsError", "running"]
