"""Roles: who may do what, and how often it is told.  Values in, verdicts out: no wire, no time.

Peer --subjects--> Caller --holds--> Role --may--> Action on things with labels
"""

from ebpfd.access.callers import ANYBODY, Caller, holding
from ebpfd.access.needs import (
    ANY,
    Action,
    Need,
    guid_label,
    hook_need,
    map_labels,
    module_need,
    type_need,
)
from ebpfd.access.roles import BUILT_IN, EVERYBODY, EVERYTHING, OWN, Role, Roles
from ebpfd.access.summaries import Summaries

__all__ = [
    "ANY",
    "ANYBODY",
    "BUILT_IN",
    "EVERYBODY",
    "EVERYTHING",
    "OWN",
    "Action",
    "Caller",
    "Need",
    "Role",
    "Roles",
    "Summaries",
    "guid_label",
    "holding",
    "hook_need",
    "map_labels",
    "module_need",
    "type_need",
]
