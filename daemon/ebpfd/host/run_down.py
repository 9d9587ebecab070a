"""Letting what is in flight end before something that it uses goes."""

import asyncio

from ebpfd.objects import TypeProvider


async def run_down(provider: TypeProvider, reason: str) -> None:
    """Close *provider* for *reason*; returns when no invocation uses it."""
    provider.rundown.close()
    provider.reason = reason
    idle = asyncio.Event()
    provider.rundown.when_idle(idle.set)
    await idle.wait()
