"""The contracts of eBPF for Windows, by the GUIDs that NMR matches on."""

from typing import Final
from uuid import UUID

PROGRAM_INFORMATION: Final = UUID("2934ad50-2154-44b6-9622-6c528c068411")
"""Providers say what programs of one type see and may call; each program is a client."""

HOOK: Final = UUID("5d564054-2736-406d-8b22-12bcffaf0a9f")
"""Providers run what is attached to an attach type; each link is a client."""

MAP_INFORMATION: Final = UUID("3c2b0f4e-8b0e-4e5e-8e1b-7f4b1f0e1f0e")
BTF_RESOLVED_FUNCTIONS: Final = UUID("8cf35ce4-7cf4-4407-883e-59b4e73dbe4f")

GENERAL_HELPERS_MODULE: Final = UUID("8d2a1d3f-9ce6-473d-b48e-17aa5c5581fe")
"""Module id of the provider of the general helpers, within program information."""

NAMES: Final = {
    PROGRAM_INFORMATION: "program information",
    HOOK: "hook",
    MAP_INFORMATION: "map information",
    BTF_RESOLVED_FUNCTIONS: "BTF-resolved functions",
}
