"""Maps, batches of entries and records as messages."""

import struct
from collections.abc import Iterable

from ebpfd.contracts import MapProviderData
from ebpfd.host.maps import Page
from ebpfd.host.records import RecordBatch
from ebpfd.objects import MapObject
from ebpfd.rpc.owner import owner_names
from ebpfd_api.map_type import map_type_name
from ebpfd_api.v1 import maps_pb2 as pb


def encode_map(each: MapObject) -> pb.Map:
    """A map for listings."""
    live = each.map
    message = pb.Map(
        id=each.id,
        name=each.name,
        type=live.type,
        type_name=map_type_name(live.type),
        key_size=live.key_size,
        value_size=live.value_size,
        max_entries=live.max_entries,
        flags=live.flags,
        program_ids=sorted(each.program_ids),
        user_value_size=live.user_value_size,
        lanes=live.lanes,
        count=live.count,
        lost=live.lost,
        created=each.created,
        holder_map_ids=sorted(each.holder_ids),
        pin_paths=sorted(each.users.paths),
        owners=owner_names(each.users),
    )
    if (custom := each.custom) is not None:
        message.type, message.type_name = custom.data.map_type, _type_name(custom.data)
        message.value_size = message.user_value_size = custom.shape.value_size
        message.custom.provider, message.custom.reason = custom.provider, custom.reason
        message.custom.base_map_type = custom.data.base_map_type
        message.custom.stored_value_size = custom.stored_value_size
        message.custom.updates_original_value = custom.data.updates_original_value
    if live.inner is not None:
        number, key_size, value_size, max_entries = live.inner
        message.inner.type, message.inner.type_name = number, map_type_name(number)
        message.inner.key_size, message.inner.value_size = key_size, value_size
        message.inner.max_entries = max_entries
    return message


def _type_name(data: MapProviderData) -> str:
    """What its provider calls the type, or everybody."""
    return data.name or map_type_name(data.map_type)


def encode_page(page: Page, response: pb.LookupBatchResponse | pb.TakeBatchResponse) -> None:
    """Entries as columns."""
    response.count = len(page.entries)
    response.keys = b"".join(key for key, _ in page.entries)
    response.values = b"".join(value for _, value in page.entries)
    response.next = page.next


def encode_records(batch: RecordBatch) -> pb.EventsResponse:
    """Records as columns."""
    return pb.EventsResponse(
        lanes=_u32s(lane for lane, _ in batch.records),
        lengths=_u32s(len(data) for _, data in batch.records),
        data=b"".join(data for _, data in batch.records),
        lost=batch.lost,
        lost_now=batch.lost_now,
    )


def _u32s(numbers: Iterable[int]) -> bytes:
    packed = list(numbers)
    return struct.pack(f"<{len(packed)}I", *packed)
