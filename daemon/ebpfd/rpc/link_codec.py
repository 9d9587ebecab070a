"""Links and hooks as messages."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from ebpfd.contracts import AttachProviderData, KnownContracts
from ebpfd.objects import Link, LinkState
from ebpfd.objects.breaker import Breaker, BreakerState
from ebpfd.objects.links import invocation_order
from ebpfd.objects.outcomes import Outcomes
from ebpfd.rpc.contract_codec import encode_policy
from ebpfd.rpc.owner import owner_names
from ebpfd.rpc.programs import encode_counters, encode_latency
from ebpfd_api.v1 import contract_pb2
from ebpfd_api.v1 import links_pb2 as pb

_STATES: Final = {
    LinkState.INITIAL: pb.LINK_STATE_ATTACHING,
    LinkState.ATTACHING: pb.LINK_STATE_ATTACHING,
    LinkState.ATTACHED: pb.LINK_STATE_ATTACHED,
    LinkState.DETACHING: pb.LINK_STATE_DETACHING,
    LinkState.DETACHED: pb.LINK_STATE_DETACHING,
}

_BREAKER_STATES: Final = {
    BreakerState.WHOLE: pb.BREAKER_STATE_WHOLE,
    BreakerState.BROKEN: pb.BREAKER_STATE_BROKEN,
    BreakerState.TRIAL: pb.BREAKER_STATE_TRIAL,
}


def encode_link(link: Link, contracts: KnownContracts) -> pb.Link:
    """A link as its users see it."""
    state = pb.LINK_STATE_WAITING if link.waits else _STATES[link.state]
    latency = link.tally.latency()  # before the runs: then there are never more of them
    return pb.Link(
        id=link.id,
        program_id=link.program.id,
        program_name=link.program.name,
        attach_type=link.attach_type.bytes,
        attach_type_name=contracts.name_of(link.attach_type),
        parameter=link.parameter,
        state=state,
        binding=link.binding,
        link_type=link.link_type,
        bpf_attach_type=link.bpf_attach_type,
        provider=link.provider,
        prog_attach_flags=link.prog_attach_flags,
        counters=encode_counters(link.tally.counters()),
        outcomes=encode_outcomes(link.outcomes),
        priority=link.priority,
        wildcard=link.wildcard,
        policy=encode_policy(link.policy),
        breaker=_encode_breaker(link.breaker),
        pin_paths=sorted(link.users.paths),
        owners=owner_names(link.users),
        where=link.where,
        latency=encode_latency(latency),
        in_flight=link.in_flight,
        running=link.running,
    )


def encode_outcomes(outcomes: Outcomes) -> pb.LinkOutcomes:
    """What a link's events came to."""
    failures = {failure.value: count for failure, count in outcomes.failures.items()}
    return pb.LinkOutcomes(success=outcomes.success, broken=outcomes.broken, **failures)


def _encode_breaker(breaker: Breaker | None) -> pb.Breaker | None:
    if breaker is None:
        return None
    rule, state = breaker.rule, _BREAKER_STATES[breaker.state]
    return pb.Breaker(failures=rule.failures, retry_ms=round(rule.retry_s * 1000), state=state)


def encode_hook(
    attach_type: UUID,
    data: AttachProviderData,
    provider: str,
    links: Iterable[Link],
    contracts: KnownContracts,
) -> pb.HookInfo:
    """A hook with its links in invocation order."""
    known = contracts.program_type(data.supported_program_type)
    return pb.HookInfo(
        attach_type=attach_type.bytes,
        name=contracts.name_of(attach_type),
        program_type=data.supported_program_type.bytes,
        program_type_name=known.name if known else "",
        capability=contract_pb2.AttachCapability.Name(data.capability),
        wildcards=data.wildcards,
        provider=provider,
        link_type=data.link_type,
        bpf_attach_type=data.bpf_attach_type,
        closed_result=data.closed_result,
        links=[encode_link(each, contracts) for each in sorted(links, key=invocation_order)],
        hosted=data.hosted,
        default_result=contracts.default_result(attach_type),
    )
