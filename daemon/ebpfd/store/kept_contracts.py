"""Contracts that were seen once, kept as text."""

import sqlite3
from dataclasses import astuple, dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from ebpfd.store.database import Database

Kind: TypeAlias = Literal["program_type", "attach_type"]


@dataclass(frozen=True, slots=True)
class KeptContract:
    """A row: ``content`` is JSON; ``provided`` if the daemon itself is the type's provider."""

    kind: Kind
    guid: UUID
    content: str
    origin: str
    imported: bool = False
    provided: bool = False


class KeptContracts:
    """The table of contracts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[KeptContract]:
        """Every row."""

        def read(connection: sqlite3.Connection) -> list[KeptContract]:
            rows = connection.execute(
                "SELECT kind, guid, content, origin, imported, provided FROM contracts"
            )
            return [
                KeptContract(kind, UUID(guid), content, origin, bool(imported), bool(provided))
                for kind, guid, content, origin, imported, provided in rows
            ]

        return await self._database.look(read)

    async def put(self, row: KeptContract) -> None:
        """Write a row in place of the one with its kind and GUID."""
        values = [str(each) if isinstance(each, UUID) else each for each in astuple(row)]
        await self._database.change(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO contracts "
                "(kind, guid, content, origin, imported, provided) VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
        )

    async def remove(self, kind: Kind, guid: UUID) -> None:
        """Delete a row, if there is one."""
        await self._database.change(
            lambda connection: connection.execute(
                "DELETE FROM contracts WHERE kind = ? AND guid = ?", (kind, str(guid))
            )
        )
