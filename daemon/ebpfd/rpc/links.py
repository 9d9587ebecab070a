"""The ``Links`` service."""

from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.contracts.hook_contract import encode_hook_contract
from ebpfd.errors import RequestError
from ebpfd.host.hooks import Hooks
from ebpfd.host.hosted_hooks import HostedHooks
from ebpfd.host.links import Links
from ebpfd.host.owners import Owners
from ebpfd.host.policies import Choice
from ebpfd.host.services import Services
from ebpfd.objects import Link, Objects
from ebpfd.objects.breaker import BreakerRule
from ebpfd.objects.links import invocation_order
from ebpfd.rpc.attach_type import decode_attach_type
from ebpfd.rpc.hook_codec import decode_wanted_hook, imported_hook
from ebpfd.rpc.link_codec import encode_hook, encode_link
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.status import answering
from ebpfd_api.failure import Failure
from ebpfd_api.result import Result
from ebpfd_api.v1 import links_pb2 as pb
from ebpfd_api.v1 import links_pb2_grpc as services_pb

RETRY_S: Final = 10.0

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class LinksServicer(services_pb.LinksServicer):
    """Attach and detach programs."""

    def __init__(
        self,
        *,
        links: Links,
        hooks: Hooks,
        objects: Objects,
        owners: Owners,
        contracts: KnownContracts,
        hosted_hooks: HostedHooks,
        services: Services,
    ) -> None:
        self._hosted_hooks = hosted_hooks
        self._owners = owners
        self._links = links
        self._hooks = hooks
        self._objects = objects
        self._contracts = contracts
        self._services = services

    async def Attach(self, request: pb.AttachRequest, context: _Context) -> pb.AttachResponse:
        """Attach a program to a hook."""
        response = pb.AttachResponse()
        with answering(response.status):
            link = await self._services.finish(
                self._links.attach(
                    request.program_id,
                    decode_attach_type(request.attach_type),
                    request.parameter,
                    request.prog_attach_flags if request.HasField("prog_attach_flags") else None,
                    request.priority,
                    _choices(request.policy),
                    _breaker(request.policy),
                    self._owners.find(token_of(context)),
                ),
                name="attach",
            )
            response.link.CopyFrom(encode_link(link, self._contracts))
        return response

    async def Detach(self, request: pb.DetachRequest, context: _Context) -> pb.DetachResponse:
        """Detach; returns when nothing of the link is in flight."""
        del context
        response = pb.DetachResponse()
        with answering(response.status):
            await self._services.finish(self._links.detach(request.id), name=f"detach {request.id}")
        return response

    async def Unlink(self, request: pb.UnlinkRequest, context: _Context) -> pb.UnlinkResponse:
        """Detach every link that matches."""
        del context
        response = pb.UnlinkResponse()
        with answering(response.status):
            attach_type = decode_attach_type(request.attach_type)
            work = self._links.unlink(attach_type, request.parameter, request.program_id)
            links = await self._services.finish(work, name="unlink")
            response.ids.extend(link.id for link in links)
        return response

    async def Replace(self, request: pb.ReplaceRequest, context: _Context) -> pb.ReplaceResponse:
        """Put another program into a link."""
        del context
        response = pb.ReplaceResponse()
        with answering(response.status):
            work = self._links.replace(request.id, request.program_id, request.expected_program_id)
            link = await self._services.finish(work, name=f"replace in {request.id}")
            response.link.CopyFrom(encode_link(link, self._contracts))
        return response

    async def SetPolicy(
        self, request: pb.SetPolicyRequest, context: _Context
    ) -> pb.SetPolicyResponse:
        """Choose what the hook does with events that find something in their way."""
        del context
        response = pb.SetPolicyResponse()
        with answering(response.status):
            policy = request.policy
            work = self._links.set_policy(request.id, _choices(policy), _breaker(policy))
            link = await self._services.finish(work, name=f"policy of {request.id}")
            response.link.CopyFrom(encode_link(link, self._contracts))
        return response

    async def List(self, request: pb.LinksListRequest, context: _Context) -> pb.LinksListResponse:
        """All links, in invocation order for each hook."""
        del request, context
        links = sorted(self._objects.links(), key=self._order)
        return pb.LinksListResponse(links=[encode_link(each, self._contracts) for each in links])

    async def ListHooks(
        self, request: pb.ListHooksRequest, context: _Context
    ) -> pb.ListHooksResponse:
        """The hooks that are known, each with its links."""
        del context
        response = pb.ListHooksResponse()
        with answering(response.status):
            wanted = None
            if request.HasField("attach_type"):
                wanted = self._links.find_attach_type(decode_attach_type(request.attach_type))
            response.hooks.extend(
                self._hook(attach_type)
                for attach_type, _ in self._contracts.attach_types()
                if wanted in (None, attach_type)
            )
        return response

    async def CreateHook(
        self, request: pb.CreateHookRequest, context: _Context
    ) -> pb.CreateHookResponse:
        """Let the daemon provide a hook."""
        del context
        response = pb.CreateHookResponse()
        with answering(response.status):
            work = self._hosted_hooks.create(decode_wanted_hook(request))
            attach_type = await self._services.finish(work, name=f"create hook {request.name}")
            response.hook.CopyFrom(self._hook(attach_type))
        return response

    async def RemoveHook(
        self, request: pb.RemoveHookRequest, context: _Context
    ) -> pb.RemoveHookResponse:
        """Provide a hook no more."""
        del context
        response = pb.RemoveHookResponse()
        with answering(response.status):
            work = self._hosted_hooks.remove(decode_attach_type(request.attach_type))
            await self._services.finish(work, name="remove hook")
        return response

    async def ImportHook(
        self, request: pb.ImportHookRequest, context: _Context
    ) -> pb.ImportHookResponse:
        """Take in a hook's contract."""
        del context
        response = pb.ImportHookResponse()
        with answering(response.status):
            contract = imported_hook(request.content)
            work = self._hosted_hooks.take_in(contract)
            await self._services.finish(work, name="import hook")
            response.hook.CopyFrom(self._hook(contract.attach_type))
        return response

    async def ExportHook(
        self, request: pb.ExportHookRequest, context: _Context
    ) -> pb.ExportHookResponse:
        """Write a hook's contract."""
        del context
        response = pb.ExportHookResponse()
        with answering(response.status):
            wanted = decode_attach_type(request.attach_type)
            response.content = encode_hook_contract(self._hosted_hooks.contract_of(wanted))
        return response

    def _hook(self, attach_type: UUID) -> pb.HookInfo:
        data = self._contracts.attach_type(attach_type)
        assert data is not None, "just listed, or created"
        links = [each for each in self._objects.links() if each.attach_type == attach_type]
        provider = self._hooks.provider_name(attach_type)
        return encode_hook(attach_type, data, provider, links, self._contracts)

    def _order(self, link: Link) -> tuple[str, bytes, tuple[bool, int, int]]:
        name = self._contracts.name_of(link.attach_type)
        return name, link.attach_type.bytes, invocation_order(link)


def _choices(policy: pb.PolicyChange) -> dict[Failure, Choice]:
    """What is chosen; a choice without a result is refused."""
    choices: dict[Failure, Choice] = {}
    for each, choice in policy.ListFields():
        if each.name == "breaker":
            continue
        match choice.WhichOneof("choice"):
            case "result":
                choices[Failure(each.name)] = choice.result
            case "name":
                choices[Failure(each.name)] = choice.name
            case _:
                message = f"policy.{each.name}: give a result, by number or name"
                raise RequestError(Result.INVALID_ARGUMENT, message)
    return choices


def _breaker(policy: pb.PolicyChange) -> BreakerRule | None:
    if not policy.HasField("breaker"):
        return None
    return BreakerRule(policy.breaker.failures, policy.breaker.retry_ms / 1000 or RETRY_S)
