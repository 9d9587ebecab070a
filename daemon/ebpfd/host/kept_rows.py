"""Objects as rows of the store, and the bytes that these refer to."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ebpfd.contracts import BtfResolvedFunction, MapProviderData, engine_information
from ebpfd.contracts.json_codec import encode_json
from ebpfd.host.verification import Subject, Verifier
from ebpfd.objects import CustomMap, Link, MapObject, Program
from ebpfd.store import KeptLink, KeptMap, KeptPolicy, KeptProgram, blob_of
from ebpfd.store.kept_objects import Blob, KeptMapType
from ebpfd_api.failure import Failure, Policy
from ebpfd_vm import Object

_FIRST: Final = bytes(4)


def link_row(link: Link, *, owned: bool) -> KeptLink:
    """An attached link."""
    rule = link.breaker_rule
    return KeptLink(
        program=link.program.id,
        attach_type=link.attach_type,
        parameter=link.parameter,
        flags=link.flags,
        priority=link.priority,
        policy=KeptPolicy(**{failure.value: each for failure, each in link.policy.items()}),
        break_after=rule.failures if rule else 0,
        retry_s=rule.retry_s if rule else 0.0,
        link_type=link.link_type,
        bpf_attach_type=link.bpf_attach_type,
        wildcard=link.wildcard,
        owned=owned,
    )


def policy_of(row: KeptLink) -> Policy:
    """The policy of a link that was kept."""
    if row.failure_result is not None:
        return dict.fromkeys(Failure, row.failure_result)
    kept = msgspec.structs.asdict(row.policy)
    return {failure: kept[failure] for failure in Failure if kept[failure] is not None}


def map_row(map_object: MapObject, blobs: dict[Blob, bytes], *, owned: bool) -> KeptMap:
    """A map; the bytes of a read-only one are put into *blobs*."""
    live = map_object.map
    initial = _stored(live.lookup(_FIRST), blobs) if live.read_only else None
    return KeptMap(
        live.type,
        live.key_size,
        live.value_size,
        live.max_entries,
        name=live.name,
        flags=live.flags,
        read_only=live.read_only,
        inner=live.inner,
        initial=initial,
        lanes=live.lanes,
        owned=owned,
        custom=None if map_object.custom is None else _map_type(map_object.custom),
    )


def _map_type(custom: CustomMap) -> KeptMapType:
    data = custom.data
    return KeptMapType(
        number=data.map_type,
        value_size=custom.shape.value_size,
        functions=sorted(data.functions),
        updates_original_value=data.updates_original_value,
        name=data.name,
    )


def map_provider(row: KeptMapType) -> MapProviderData:
    """What the provider of a custom map had promised when the map was made."""
    return MapProviderData(
        map_type=row.number,
        functions=frozenset(row.functions),
        updates_original_value=row.updates_original_value,
        name=row.name,
    )


async def program_row(
    program: Program,
    parsed: Object,
    verifier: Verifier,
    engine: bytes,
    blobs: dict[Blob, bytes],
) -> KeptProgram:
    """A program; its bytes are put into *blobs*."""
    source, contract, functions = program.source, program.contract, program.functions
    subject = Subject(source.object_file, parsed, source.index, program.spec, contract.context_btf)
    answers = await verifier.answers(subject, engine_information(contract, functions))
    return KeptProgram(
        file=_stored(source.object_file, blobs),
        index=source.index,
        contract=_stored(encode_json(contract), blobs),
        functions=_stored(msgspec.json.encode(functions), blobs),
        file_name=program.file_name,
        execution=source.execution,
        follows_contract=source.follows_contract,
        flags=source.flags,
        maps=dict(zip(program.spec.map_indices, (each.id for each in program.maps), strict=True)),
        answers=[(key, _stored(answer, blobs)) for key, answer in answers],
        engine=engine,
    )


def with_owner(row: KeptProgram, file_maps: Iterable[int], *, owned: bool) -> KeptProgram:
    """A program's row with what may change of it."""
    return msgspec.structs.replace(row, file_maps=list(file_maps), owned=owned)


def functions_of(content: bytes) -> tuple[BtfResolvedFunction, ...]:
    """The imported functions that a program's row refers to."""
    return msgspec.json.decode(content, type=tuple[BtfResolvedFunction, ...])


def _stored(content: bytes, blobs: dict[Blob, bytes]) -> Blob:
    blob = blob_of(content)
    blobs[blob] = content
    return blob


def maps_by_place(row: KeptProgram, maps: Mapping[int, MapObject]) -> dict[int, MapObject]:
    """A program's maps by their places in its file."""
    return {place: maps[number] for place, number in row.maps.items()}
