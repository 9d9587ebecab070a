"""Hooks that the daemon is to provide, as users ask for them."""

from ebpfd.contracts import ContractError
from ebpfd.contracts.hook_contract import HookContract, decode_hook_contract
from ebpfd.errors import RequestError
from ebpfd.host.hosted_hooks import WantedHook
from ebpfd.rpc.contract_codec import decode_capability, decode_guid
from ebpfd.rpc.contract_formats import MAX_BYTES
from ebpfd.rpc.contracts import decode_contract_name
from ebpfd_api.result import Result
from ebpfd_api.v1 import links_pb2 as pb


def decode_wanted_hook(request: pb.CreateHookRequest) -> WantedHook:
    """What a user wants; ``RequestError`` names what makes no sense."""
    given = request.attach_type
    try:
        attach_type = decode_guid(given, "attach_type") if given else None
        capability = decode_capability(request.capability)
    except ContractError as error:
        raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None
    if attach_type is not None and attach_type.int == 0:
        raise RequestError(Result.INVALID_ARGUMENT, "attach_type: must not be the all-zero GUID")
    return WantedHook(
        name=request.name,
        program_type=decode_contract_name(request.program_type),
        attach_type=attach_type,
        capability=capability,
        wildcards=tuple(request.wildcards.parameters) if request.HasField("wildcards") else None,
        default_result=_named(request, request.WhichOneof("on_nobody")),
        closed_result=_named(request, request.WhichOneof("on_closed")),
        bpf_attach_type=request.bpf_attach_type,
        link_type=request.link_type,
    )


def imported_hook(content: bytes) -> HookContract:
    """A hook's contract as JSON; ``RequestError`` names what is wrong with it."""
    if len(content) > MAX_BYTES:
        message = f"content: {len(content):,} bytes are more than {MAX_BYTES:,}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    try:
        return decode_hook_contract(content)
    except ContractError as error:
        message = f"this is no contract of a hook: {error}"
        raise RequestError(Result.INVALID_ARGUMENT, message) from None


def _named(request: pb.CreateHookRequest, field: str | None) -> int | str | None:
    """A result, by number or by name, if there is one."""
    found: int | str | None = getattr(request, field) if field else None
    return found
