"""What survives a restart: SQLite behind one connection and one thread."""

from ebpfd.store.database import Database, StoreError
from ebpfd.store.kept_contracts import KeptContract, KeptContracts

__all__ = ["Database", "KeptContract", "KeptContracts", "StoreError"]
