"""Contracts that were seen once, kept as text."""

import sqlite3
from dataclasses import astuple, dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from ebpfd.store.database import Database, damage_in

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
        """Every row; ``StoreError`` names one that makes no sense."""
        return await self._database.look(read_contracts)

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


def read_contracts(connection: sqlite3.Connection) -> list[KeptContract]:
    """Every row of the table."""
    rows = connection.execute(
        "SELECT kind, guid, content, origin, imported, provided FROM contracts"
    )
    return [
        KeptContract(kind, _guid(connection, guid), content, origin, bool(imported), bool(provided))
        for kind, guid, content, origin, imported, provided in rows
    ]


def _guid(connection: sqlite3.Connection, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise damage_in(connection, f"contract {text!r} has no GUID") from None
