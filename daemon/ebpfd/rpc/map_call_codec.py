"""Calls to providers of custom map types, and their returns, as messages."""

from ebpfd.host.modules import MapCall
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.v1 import contract_pb2
from ebpfd_api.v1 import registrar_pb2 as pb


def encode_map_call(asked: MapCall) -> pb.MapCall:
    """A call for its provider; only preprocess_map_create is told the map's shape."""
    call = asked.call
    message = pb.MapCall(
        function=contract_pb2.MapFunction.Name(call.function),
        binding=asked.binding,
        binding_context=asked.binding_context,
        map_context=asked.map_context,
        map_id=asked.map_id,
        deadline_ms=int(asked.deadline_s * 1000),
        program_type=call.program_type,
        key=call.key,
        value=call.value,
        out_value_size=call.out_value_size,
        flags=call.flags,
    )
    if call.function is MapFunction.PREPROCESS_MAP_CREATE:
        message.map_context, message.restored = b"", call.restored
        message.map_type, message.key_size = asked.shape.type, asked.shape.key_size
        message.value_size = asked.shape.value_size
        message.max_entries = asked.shape.max_entries
    return message


def decode_map_return(message: pb.MapReturn) -> ProviderReturn:
    """What came of a call."""
    return ProviderReturn(
        message.result,
        message.message,
        message.out_value,
        message.actual_value_size,
        message.map_context,
    )
