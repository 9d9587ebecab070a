"""What survives a restart: SQLite behind one connection and one thread, and files of maps."""

from ebpfd.store.backup import BackedUp, back_up, restore
from ebpfd.store.database import Database, StoreError
from ebpfd.store.directory import Checked, StateDirectory, check
from ebpfd.store.kept_contracts import KeptContract, KeptContracts
from ebpfd.store.kept_objects import (
    Change,
    Kept,
    KeptLink,
    KeptMap,
    KeptObject,
    KeptObjects,
    KeptPolicy,
    KeptProgram,
    blob_of,
)
from ebpfd.store.map_files import MapFiles

__all__ = [
    "BackedUp",
    "Change",
    "Checked",
    "Database",
    "Kept",
    "KeptContract",
    "KeptContracts",
    "KeptLink",
    "KeptMap",
    "KeptObject",
    "KeptObjects",
    "KeptPolicy",
    "KeptProgram",
    "MapFiles",
    "StateDirectory",
    "StoreError",
    "back_up",
    "blob_of",
    "check",
    "restore",
]
