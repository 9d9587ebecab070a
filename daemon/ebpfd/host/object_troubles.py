"""What is wrong with programs, links and maps: they wait, are left alone, or their events fail."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar
from uuid import UUID

from ebpfd.contracts import KnownContracts
from ebpfd.host.lately import LATELY
from ebpfd.host.trouble import Trouble, things
from ebpfd.objects import Link, MapObject, Objects, Program, ProgramState
from ebpfd.objects.outcomes import BROKEN, SUCCESS
from ebpfd_api.failure import Failure
from ebpfd_api.result import result_name

MOST_LINKS: Final = 10
"""Links of one kind of trouble that are told one by one."""

_ADVICE: Final[Mapping[str, str]] = {
    Failure.NO_PROVIDER.value: "an extension comes and goes: `ebpfctl extension list`",
    Failure.TIMEOUT.value: "its program or a helper is too slow: `ebpfctl link show {id}`",
    Failure.ERROR.value: "`ebpfctl link show {id}` has the codes, `ebpfctl trace` what it prints",
    Failure.OVERLOAD.value: "more comes than runs: `ebpfctl top`",
    BROKEN: "its breaker was broken: `ebpfctl link show {id}`",
}
"""What to do about the kind of failure that is the most frequent one."""

_Object = TypeVar("_Object", Link, Program, MapObject)
_Key = TypeVar("_Key", UUID, tuple[str, str])


def object_troubles(
    objects: Objects, contracts: KnownContracts, lately: Mapping[int, Mapping[str, int]]
) -> Iterator[Trouble]:
    """All of them; *lately* is what the events of links came to, by link."""
    waiting = [each for each in objects.programs() if each.state is ProgramState.WAITING]
    for (name, reason), ids in _by(waiting, _program_type):
        told = f"{things(ids, 'program', 'wait')} for program type {name}: {reason}"
        advice = (
            "start its extension; if it is there with another contract, load the program anew: "
            f"`ebpfctl program reload {ids[0]}`"
        )
        yield Trouble("programs", told, advice, ids)
    for attach_type, ids in _by((each for each in objects.links() if each.waits), _hook):
        told = f"{things(ids, 'link', 'wait')} for hook {contracts.name_of(attach_type)}"
        advice = "start its extension; `ebpfctl extension list` shows who is there"
        yield Trouble("links", told, advice, ids)
    away = [each for each in objects.maps() if each.custom and not each.custom.provider]
    for (name, reason), ids in _by(away, _map_type):
        told = f"{things(ids, 'map', 'wait')} for map type {name}: {reason}"
        yield Trouble("maps", told, "start its extension", ids)
    yield from _first(_broken(objects, contracts), "breaker", "are left alone, too")
    yield from _first(_failing(objects, contracts, lately), "events", "have events that fail, too")


def _broken(objects: Objects, contracts: KnownContracts) -> Iterator[Trouble]:
    for link in objects.links():
        if link.breaker is not None and link.left_alone:
            told = (
                f"{_named(link, contracts)} is left alone after {result_name(link.breaker.cause)}"
            )
            advice = (
                f"`ebpfctl link show {link.id}`; it is tried again after "
                f"{link.breaker.rule.retry_s:g} s, with the next event"
            )
            yield Trouble("breaker", told, advice, (link.id,))


def _failing(
    objects: Objects, contracts: KnownContracts, lately: Mapping[int, Mapping[str, int]]
) -> Iterator[Trouble]:
    """Those whose trouble is not told already, the worst first."""
    found: list[tuple[int, Trouble]] = []
    for link in objects.links():
        failed = {name: count for name, count in lately.get(link.id, {}).items() if name != SUCCESS}
        if link.waits or link.program.state is ProgramState.WAITING:
            failed.pop(Failure.NO_PROVIDER.value, None)
        if failed and not link.left_alone:
            count, all_of_them = sum(failed.values()), sum(lately[link.id].values())
            kinds = ", ".join(f"{failed[name]} {name}" for name in sorted(failed))
            told = (
                f"{count} of {all_of_them} events of {_named(link, contracts)} "
                f"failed {LATELY}: {kinds}"
            )
            worst = max(failed, key=lambda name: failed[name])
            advice = _ADVICE[worst].format(id=link.id)
            found.append((count, Trouble("events", told, advice, (link.id,))))
    found.sort(key=lambda each: -each[0])
    return iter([trouble for _, trouble in found])


def _first(troubles: Iterator[Trouble], kind: str, more: str) -> Iterator[Trouble]:
    """The first of them, and one line for the others."""
    told = list(troubles)
    yield from told[:MOST_LINKS]
    if others := told[MOST_LINKS:]:
        ids = tuple(number for each in others for number in each.ids)
        links = "1 more link" if len(ids) == 1 else f"{len(ids)} more links"
        yield Trouble(kind, f"{links} {more}", "`ebpfctl link list` shows all", ids)


def _by(
    found: Iterable[_Object], key: Callable[[_Object], _Key]
) -> list[tuple[_Key, tuple[int, ...]]]:
    groups: dict[_Key, list[int]] = defaultdict(list)
    for each in found:
        groups[key(each)].append(each.id)
    return [(which, tuple(ids)) for which, ids in groups.items()]


def _program_type(program: Program) -> tuple[str, str]:
    return program.contract.name, program.provider.reason


def _hook(link: Link) -> UUID:
    return link.attach_type


def _map_type(each: MapObject) -> tuple[str, str]:
    assert each.custom is not None, "asked of those alone"
    return each.custom.data.name or str(each.custom.data.map_type), each.custom.reason


def _named(link: Link, contracts: KnownContracts) -> str:
    return f"link {link.id} ({link.program.name} on {contracts.name_of(link.attach_type)})"
