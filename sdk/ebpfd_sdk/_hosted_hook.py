"""Hooks that an extension declares and the daemon provides."""

from ebpfd_api.v1 import contract_pb2, contracts_pb2, links_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._decode import check
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._hook_state import HookState


async def create(hook: HookState[C], address: str, certificates: Certificates | None) -> None:
    """Let the daemon provide *hook* from now on; once more changes nothing."""
    rules = (hook.parameter_rule, hook.attach_policy, hook.detach_notice, hook.fire_policy)
    if any(rules):
        problem = "the daemon hosts it, and would not call its on_… functions: leave them out"
        raise DeclarationError(f"hook {hook.name}: {problem}")
    attachments = hook.attachments
    request = links_pb2.CreateHookRequest(
        attach_type=hook.guid.bytes,
        name=hook.name,
        program_type=contracts_pb2.ContractName(guid=hook.program_type.guid.bytes),
        capability=contract_pb2.AttachCapability.Name(attachments.capability),
        wildcards=links_pb2.Wildcards(parameters=attachments.wildcards),
        bpf_attach_type=hook.bpf_attach_type,
        link_type=hook.link_type,
        closed_result=hook.closed_result,
    )
    daemon = Daemon(address, certificates)
    try:
        check((await daemon.ask(daemon.links.CreateHook, request)).status)
    finally:
        await daemon.connection.close()
