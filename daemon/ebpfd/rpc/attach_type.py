"""An attach type as a client names it."""

from uuid import UUID

from ebpfd.contracts import ContractError
from ebpfd.errors import RequestError
from ebpfd.rpc.contract_codec import decode_guid
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as pb


def decode_attach_type(message: pb.AttachType) -> UUID | str:
    """A GUID or a name."""
    if message.WhichOneof("id") != "guid":
        if not message.name:
            problem = "attach_type: name the hook, or give its GUID"
            raise RequestError(Result.INVALID_ARGUMENT, problem)
        return message.name
    try:
        return decode_guid(message.guid, "attach_type.guid")
    except ContractError as error:
        raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None
