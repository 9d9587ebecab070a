"""Maps, their entries and records: as fields for programs, as text for people."""

from typing import TYPE_CHECKING

from ebpfd.cli.output import Json

if TYPE_CHECKING:
    from ebpfd_sdk import InnerMap, Map, MapTypeProvider, Record, Records

LARGEST_NUMBER = 8
"""Bytes of a key or value that are also shown as a number."""

PRINTABLE = range(0x20, 0x7F)


def describe(each: "Map") -> dict[str, Json]:
    """A map's fields."""
    return {
        "id": each.id,
        "name": each.name,
        "type": each.type_name,
        "key_size": each.key_size,
        "value_size": each.value_size,
        "max_entries": each.max_entries,
        "count": each.count,
        "flags": each.flags,
        "programs": list(each.program_ids),
        "held_by": list(each.holder_ids),
        "created": each.created,
        "pins": list(each.pin_paths),
        "owners": list(each.owners),
        "user_value_size": each.user_value_size,
        "lanes": each.lanes,
        "lost": each.lost,
        "inner": _inner(each.inner) if each.inner else None,
        **_provider(each.provider),
    }


def value_fields(each: "Map", value: bytes) -> dict[str, Json]:
    """A value's fields: of a per-CPU map one value a lane."""
    if not each.lanes:
        return {"value": value.hex(), "value_number": number(value)}
    values = each.per_lane(value)
    return {"values": [one.hex() for one in values], "value_numbers": list(map(number, values))}


def entry_columns(each: "Map") -> tuple[str, ...]:
    """What of an entry a table shows."""
    if each.lanes:
        return ("key", "values", "key_number", "value_numbers")
    return ("key", "value", "key_number", "value_number")


def entry(each: "Map", key: bytes, value: bytes) -> dict[str, Json]:
    """An entry's fields."""
    return {"key": key.hex(), "key_number": number(key), **value_fields(each, value)}


def value_text(each: "Map", value: bytes) -> str:
    """A value for people: a line for each lane."""
    if not each.lanes:
        return _with_number(value)
    values = enumerate(each.per_lane(value))
    return "\n".join(f"lane {lane}  {_with_number(one)}" for lane, one in values)


def record_fields(record: "Record") -> dict[str, Json]:
    """A record's fields."""
    return {"lane": record.lane, "data": record.data.hex()}


def record_text(each: "Map", record: "Record") -> str:
    """A record for people: its lane if there are several, its bytes, and what of them is text."""
    text = "".join(chr(byte) if byte in PRINTABLE else "." for byte in record.data)
    lane = f"{record.lane}  " if each.lanes else ""
    return f"{lane}{record.data.hex(' ')}  |{text}|"


def lost_lines(records: "Records") -> list[tuple[dict[str, Json], str]]:
    """What was lost, for each lane that lost something: fields, and text."""
    return [
        (
            {"lane": lane, "lost": now, "lost_ever": ever},
            f"lost {now} records of lane {lane}, {ever} since the map was made",
        )
        for lane, (now, ever) in enumerate(zip(records.lost, records.lost_ever, strict=True))
        if now
    ]


def _provider(provider: "MapTypeProvider | None") -> dict[str, Json]:
    if provider is None:
        return {"provider": "daemon"}
    return {
        "provider": provider.name or f"none: {provider.reason}",
        "stored_value_size": provider.stored_value_size,
        "updates_original_value": provider.updates_original_value,
    }


def _inner(inner: "InnerMap") -> dict[str, Json]:
    return {
        "type": inner.type_name,
        "key_size": inner.key_size,
        "value_size": inner.value_size,
        "max_entries": inner.max_entries,
    }


def number(raw: bytes) -> int | None:
    """Few bytes as a number."""
    return int.from_bytes(raw, "little") if len(raw) <= LARGEST_NUMBER else None


def _with_number(value: bytes) -> str:
    shown = number(value)
    return f"{value.hex()}  {shown if shown is not None else ''}".rstrip()
