"""The engine of ebpfd: it reads, verifies and runs programs.

Object files become specs (``parse_object``), specs are judged (``verify``) and
become live maps and programs (``Map``, ``Program``).  Everything is implemented
in Rust, in ``_native``; this module only says what is public.
"""

from ebpfd_vm._native import (
    FIRST_FUNCTION,
    BatchResult,
    Counters,
    EngineError,
    Explanation,
    Helper,
    HelperError,
    Map,
    MapSpec,
    Object,
    PathStep,
    Program,
    ProgramSpec,
    RegisterEvent,
    Rejection,
    SourceLine,
    Tally,
    Trace,
    TraceLine,
    Verdict,
    Witness,
    general_helpers,
    lane_count,
    parse_object,
    verify,
)

__all__ = [
    "FIRST_FUNCTION",
    "BatchResult",
    "Counters",
    "EngineError",
    "Explanation",
    "Helper",
    "HelperError",
    "Map",
    "MapSpec",
    "Object",
    "PathStep",
    "Program",
    "ProgramSpec",
    "RegisterEvent",
    "Rejection",
    "SourceLine",
    "Tally",
    "Trace",
    "TraceLine",
    "Verdict",
    "Witness",
    "general_helpers",
    "lane_count",
    "parse_object",
    "verify",
]
