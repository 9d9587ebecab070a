"""Entries of recordings between protobuf and values, for the wire and for files."""

from typing import Final

from ebpfd.contracts import BtfFunctionsData, BtfResolvedFunction, ContractError
from ebpfd.objects import recordings as values
from ebpfd.rpc.contract_codec import (
    decode_functions,
    decode_guid,
    decode_program_data,
    encode_functions,
    encode_program_data,
)
from ebpfd.rpc.origin_codec import decode_origin, encode_origin
from ebpfd_api.v1 import contract_pb2
from ebpfd_api.v1 import recordings_pb2 as pb

_WIRE_KINDS: Final = {
    values.WriteKind.UPDATE: pb.RECORDED_WRITE_KIND_UPDATE,
    values.WriteKind.DELETE: pb.RECORDED_WRITE_KIND_DELETE,
    values.WriteKind.POP: pb.RECORDED_WRITE_KIND_POP,
}


def encode_entry(entry: values.Entry) -> pb.RecordingEntry:
    """An entry as a message."""
    match entry:
        case values.Head():
            head = pb.RecordingHead(
                began_ns=entry.began_ns,
                attach_type=entry.attach_type.bytes,
                attach_type_name=entry.attach_type_name,
                link_id=entry.link_id,
                lanes=entry.lanes,
            )
            return pb.RecordingEntry(head=head)
        case values.RecordedMap():
            return pb.RecordingEntry(map=_encode_map(entry))
        case values.RecordedMapEntries():
            contents = pb.RecordedMapEntries(
                map_id=entry.map_id,
                keys=entry.keys,
                values=entry.values,
                programs=entry.programs,
            )
            return pb.RecordingEntry(map_entries=contents)
        case values.RecordedProgram():
            return pb.RecordingEntry(program=_encode_program(entry))
        case values.RecordedBatch():
            return pb.RecordingEntry(batch=_encode_batch(entry))
        case values.RecordedWrite():
            write = pb.RecordedWrite(
                map_id=entry.map_id,
                kind=_WIRE_KINDS[entry.kind],
                keys=entry.keys,
                values=entry.values,
                flags=entry.flags,
                programs=entry.programs,
            )
            return pb.RecordingEntry(write=write)
        case values.Unseen():
            unseen = pb.RecordingUnseen(
                map_id=entry.map_id, link_id=entry.link_id, program_name=entry.program_name
            )
            return pb.RecordingEntry(unseen=unseen)
        case values.Loss():
            loss = pb.RecordingLoss(events=entry.events, writes=entry.writes)
            return pb.RecordingEntry(loss=loss)
        case values.End():
            end = pb.RecordingEnd(events=entry.events, lost=entry.lost, reason=entry.reason)
            return pb.RecordingEntry(end=end)


def decode_entry(message: pb.RecordingEntry) -> values.Entry | None:
    """What *message* holds; None: something that a later version knows.

    ``ContractError`` names the field of a program that makes no sense.
    """
    match message.WhichOneof("entry"):
        case "head":
            head = message.head
            return values.Head(
                head.began_ns,
                decode_guid(head.attach_type, "head.attach_type"),
                head.attach_type_name,
                head.link_id,
                head.lanes,
            )
        case "map":
            return _decode_map(message.map)
        case "map_entries":
            held = message.map_entries
            return values.RecordedMapEntries(
                held.map_id, held.keys, held.values, tuple(held.programs)
            )
        case "program":
            return _decode_program(message.program)
        case "batch":
            return _decode_batch(message.batch)
        case "write":
            return _decode_write(message.write)
        case "unseen":
            unseen = message.unseen
            return values.Unseen(unseen.map_id, unseen.link_id, unseen.program_name)
        case "loss":
            return values.Loss(message.loss.events, message.loss.writes)
        case "end":
            return values.End(message.end.events, message.end.lost, message.end.reason)
        case _:
            return None


def _decode_write(message: pb.RecordedWrite) -> values.RecordedWrite:
    kinds = {number: kind for kind, number in _WIRE_KINDS.items()}
    if message.kind not in kinds:
        raise ContractError("write.kind", f"{message.kind} is none that is known")
    return values.RecordedWrite(
        map_id=message.map_id,
        kind=kinds[message.kind],
        keys=message.keys,
        values=message.values,
        flags=message.flags,
        programs=tuple(message.programs),
    )


def _encode_map(entry: values.RecordedMap) -> pb.RecordedMap:
    inner = None
    if entry.inner is not None:
        type_, key_size, value_size, max_entries = entry.inner
        inner = pb.RecordedInnerMap(
            type=type_, key_size=key_size, value_size=value_size, max_entries=max_entries
        )
    return pb.RecordedMap(
        id=entry.id,
        name=entry.name,
        type=entry.type,
        key_size=entry.key_size,
        value_size=entry.value_size,
        max_entries=entry.max_entries,
        flags=entry.flags,
        read_only=entry.read_only,
        inner=inner,
        without_entries=entry.without_entries,
    )


def _decode_map(message: pb.RecordedMap) -> values.RecordedMap:
    like = message.inner
    return values.RecordedMap(
        id=message.id,
        name=message.name,
        type=message.type,
        key_size=message.key_size,
        value_size=message.value_size,
        max_entries=message.max_entries,
        flags=message.flags,
        read_only=message.read_only,
        inner=(like.type, like.key_size, like.value_size, like.max_entries)
        if message.HasField("inner")
        else None,
        without_entries=message.without_entries,
    )


def _encode_program(entry: values.RecordedProgram) -> pb.RecordedProgram:
    return pb.RecordedProgram(
        id=entry.id,
        name=entry.name,
        section=entry.section,
        file_name=entry.file_name,
        object_sha256=entry.object_sha256,
        program_sha256=entry.program_sha256,
        object=entry.object_file,
        contract=encode_program_data(entry.contract),
        functions=[
            pb.RecordedFunction(
                module=each.module.bytes,
                function=encode_functions(BtfFunctionsData(functions=(each,))).functions[0],
            )
            for each in entry.functions
        ],
        map_ids=entry.map_ids,
    )


def _decode_program(message: pb.RecordedProgram) -> values.RecordedProgram:
    return values.RecordedProgram(
        id=message.id,
        name=message.name,
        section=message.section,
        file_name=message.file_name,
        object_sha256=message.object_sha256,
        program_sha256=message.program_sha256,
        object_file=message.object,
        contract=decode_program_data(message.contract),
        functions=tuple(map(_decode_function, message.functions)),
        map_ids=tuple(message.map_ids),
    )


def _decode_function(message: pb.RecordedFunction) -> BtfResolvedFunction:
    module = decode_guid(message.module, "functions.module")
    data = contract_pb2.BtfResolvedFunctionsData(functions=[message.function])
    return decode_functions(data, module).functions[0]


def _encode_batch(entry: values.RecordedBatch) -> pb.RecordedBatch:
    return pb.RecordedBatch(
        link_id=entry.link_id,
        program_id=entry.program_id,
        count=entry.count,
        contexts=entry.contexts,
        data=entry.data,
        data_lengths=entry.data_lengths,
        meta_lengths=entry.meta_lengths,
        origin=encode_origin(entry.origin),
        codes=entry.codes,
        results=entry.results,
        contexts_after=entry.contexts_after,
        data_after=entry.data_after,
        lane=entry.lane,
        tape=entry.tape,
        tape_lengths=entry.tape_lengths,
        overlapped=entry.overlapped,
    )


def _decode_batch(message: pb.RecordedBatch) -> values.RecordedBatch:
    count = message.count
    if not count or len(message.codes) != count or len(message.results) != 4 * count:
        raise ContractError("batch.codes, batch.results", "not one for each event")
    return values.RecordedBatch(
        link_id=message.link_id,
        program_id=message.program_id,
        count=count,
        contexts=message.contexts,
        data=message.data,
        data_lengths=message.data_lengths,
        meta_lengths=message.meta_lengths,
        origin=decode_origin(message),
        codes=message.codes,
        results=message.results,
        contexts_after=message.contexts_after,
        data_after=message.data_after,
        lane=message.lane,
        tape=message.tape,
        tape_lengths=message.tape_lengths,
        overlapped=message.overlapped,
    )
