"""The protocol of sessions: its version, and what either side may offer."""

from typing import Final

MAJOR: Final = 1
"""Sides of different majors do not understand each other."""

MINOR: Final = 1
"""Grows with what is added; both sides keep to the lesser one."""

LEASE: Final = "lease"
"""Capability: the module answers heartbeats, so one that does not is taken as gone."""

LEASE_TICKS: Final = 6
"""Silence is counted in sixths of a lease by the listener's own clock, which stands still while the
listener is stopped: what it did not read meanwhile is no silence of the other side.
"""
