"""How much of each quota is used, and the one that the engine keeps: the memory of all maps."""

import asyncio
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Final

from ebpfd.app.parts import Parts
from ebpfd.host.invocation import Executor
from ebpfd.host.quotas import QuotaGuard, Quotas
from ebpfd.host.services import Services
from ebpfd.rpc.session import Sessions
from ebpfd_vm import limit_map_memory, map_memory

LOOK_S: Final = 1.0
"""How often the engine is asked whether a map got no more memory: programs get a code for it."""


def used(parts: Parts, executor: Executor, sessions: Sessions) -> Mapping[str, Callable[[], int]]:
    """What says how much of a quota is used, by its name: of one of many, by the fullest."""
    objects, guard = parts.objects, executor.guard
    calls = parts.programs.helper_calls
    return {
        "sessions": sessions.__len__,
        "streams": lambda: _most(len(each.data_streams) for each in sessions.all()),
        "programs": lambda: objects.count("program"),
        "maps": lambda: objects.count("map"),
        "map_memory": lambda: map_memory()[0],
        "links": lambda: objects.count("link"),
        "link_batches": lambda: _most(each.queued for each in objects.links()),
        "link_batch_memory": lambda: parts.targets.most_queued_bytes,
        "batch_memory": lambda: executor.waiting_bytes,
        "helper_calls": lambda: calls.most_waiting()[1],
        "extension_helper_calls": lambda: calls.most_waiting()[0],
        "helper_threads": lambda: executor.helper_threads[0],
        "extension_helper_threads": lambda: executor.helper_threads[1],
        "map_calls": lambda: parts.maps.custom.most_unanswered,
        "fires": lambda: guard.busy["fires"],
        "test_runs": lambda: guard.busy["test_runs"],
        "verifications": lambda: guard.busy["verifications"],
    }


def set_quotas(guard: QuotaGuard, quotas: Quotas) -> None:
    """Let *quotas* hold from now on; who has more keeps it, and gets nothing new."""
    guard.quotas = quotas
    limit_map_memory(quotas.map_memory)


@contextmanager
def limited_maps(guard: QuotaGuard, services: Services) -> Generator[None]:
    """Within the block no map gets more memory than maps may have; what they have they keep."""
    limit_map_memory(guard.quotas.map_memory)
    services.start(_watch_map_memory(guard), name="map memory")
    try:
        yield
    finally:
        limit_map_memory(None)


async def _watch_map_memory(guard: QuotaGuard) -> None:
    """Count and log, for ever, that maps got no more memory."""
    before = map_memory()[1]
    while True:
        await asyncio.sleep(LOOK_S)
        taken, refusals = map_memory()
        if refusals > before:
            guard.count("map_memory", f"all maps have {taken} bytes", refusals - before)
            before = refusals


def _most(counts: Iterable[int]) -> int:
    return max(counts, default=0)
