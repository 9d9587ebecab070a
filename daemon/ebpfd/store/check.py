"""What is wrong with kept objects: rows that contradict each other, files that are missing."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from ebpfd.contracts import ContractError
from ebpfd.contracts.json_codec import decode_json
from ebpfd.store.kept_contracts import KeptContract
from ebpfd.store.kept_hooks import decode_hook
from ebpfd.store.kept_objects import (
    Blob,
    Kept,
    KeptLink,
    KeptMap,
    KeptObject,
    KeptProgram,
    blob_of,
    blobs_of,
)
from ebpfd.store.map_files import HOLDING_OBJECTS, MapFiles, has_file
from ebpfd_vm import EngineError, lane_count, parse_object

Kind: TypeAlias = type[KeptMap] | type[KeptProgram] | type[KeptLink]

_NAMES: Final = {KeptMap: "map", KeptProgram: "program", KeptLink: "link"}


def contradictions(kept: Kept) -> Iterator[str]:
    """What in the rows does not go together, one line each."""
    for blob, content in kept.blobs.items():
        if blob_of(content) != blob:
            yield f"the bytes {blob.hex()[:16]}… have changed"
    for number, row in kept.objects.items():
        if number > kept.last_id:
            yield f"{label(number, row)} has an id that was never given"
        if missing := blobs_of(row) - kept.blobs.keys():
            yield f"{label(number, row)} lacks the bytes {min(missing).hex()[:16]}…"
        for wanted, kind in _references(row):
            if not isinstance(kept.objects.get(wanted), kind):
                yield f"{label(number, row)} needs {_NAMES[kind]} {wanted}, which is not there"
    for (container, key), held in kept.entries.items():
        holder = kept.objects.get(container)
        if not isinstance(holder, KeptMap) or holder.type not in HOLDING_OBJECTS:
            yield f"an entry belongs to map {container}, which holds no objects"
        elif held not in kept.objects:
            yield f"map {container} holds {held} under {key.hex()}, which is not there"
    for path, number in kept.pins.items():
        if number not in kept.objects:
            yield f"pin {path} leads to {number}, which is not there"


def missing_files(kept: Kept, files: MapFiles) -> Iterator[str]:
    """Maps whose files are not there, one line each."""
    found = set(files.found())
    for number, row in kept.objects.items():
        if isinstance(row, KeptMap) and has_file(row) and number not in found:
            yield f"{label(number, row)} has no file {files.path(number)}"


def unreadable(contracts: list[KeptContract]) -> Iterator[str]:
    """Contracts and hooks that describe nothing, one line each."""
    for row in contracts:
        try:
            if row.kind == "attach_type":
                decode_hook(row.content)
            else:
                decode_json(row.content.encode())
        except ContractError as error:
            yield f"contract {row.guid}: {error}"


def unusable(kept: Kept, files: MapFiles) -> Iterator[str]:
    """Contents that cannot be read, one line each; ``contradictions`` had nothing to say."""
    for number, row in kept.objects.items():
        match row:
            case KeptMap() if has_file(row) and row.lanes in (0, lane_count()):
                try:
                    files.map_in(number, row)
                except OSError as error:
                    yield f"{label(number, row)}: {files.path(number)}: {error.strerror or error}"
                except EngineError as error:
                    yield f"{label(number, row)}: {error}"
            case KeptProgram():
                if found := _program(row, kept.blobs):
                    yield f"{label(number, row)}: {found}"
            case _:
                pass


def label(number: int, row: KeptObject) -> str:
    """What people call a kept object."""
    name = f" ({row.name})" if isinstance(row, KeptMap) and row.name else ""
    return f"{_NAMES[type(row)]} {number}{name}"


def _program(row: KeptProgram, blobs: dict[Blob, bytes]) -> str:
    """What is wrong with the file or contract of a program, if anything."""
    try:
        parsed = parse_object(blobs[row.file])
        decode_json(blobs[row.contract])
    except (EngineError, ContractError) as error:
        return str(error)
    if row.index >= len(parsed.programs):
        return f"its file has no program number {row.index}"
    spec = parsed.programs[row.index]
    if missing := set(spec.map_indices) - row.maps.keys():
        return f"it lacks the map in place {min(missing)} of its file"
    return ""


def _references(row: KeptObject) -> Iterator[tuple[int, Kind]]:
    match row:
        case KeptProgram():
            for number in (*row.maps.values(), *row.file_maps):
                yield number, KeptMap
        case KeptLink():
            yield row.program, KeptProgram
        case KeptMap():
            pass
