"""Roles, asked before each call.

The one place where calls are refused; what a call's messages or files name only later, its servicer
asks about with the same caller, and the refusal comes back to here.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from ebpfd.errors import AccessDeniedError
from ebpfd.host.audit import Audit
from ebpfd.rpc.around import Around, Context, Handler
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.guarded import guarded
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.rules import OURS, Asked, Things, rule_of


class RoleCheck(Around):
    """Refuses calls that no role of the caller allows, with PERMISSION_DENIED."""

    def __init__(self, callers: Callers, things: Things, audit: Audit) -> None:
        super().__init__()
        self._audit = audit
        self._callers = callers
        self._things = things

    def around(self, method: str, handler: Handler) -> Handler:
        """Put the check before the method's own behavior."""
        rule, streams = rule_of(method), handler.request_streaming

        def check(request: Any, context: Context) -> None:
            if rule is None:
                raise AccessDeniedError(f"nobody may call {method}: the daemon has no rule for it")
            caller = self._callers.of(context)
            asked = Asked(None if streams else request, caller, token_of(context) is not None)
            for need in rule(self._things, asked):
                caller.check(need)

        @asynccontextmanager
        async def guard(request: Any, context: Context) -> AsyncGenerator[None]:
            try:
                check(request, context)
                yield
            except AccessDeniedError as error:
                who, thing = self._callers.peers.of(context), method.removeprefix(OURS)
                why = str(error)
                await self._audit.count("refused", who, "ACCESS_DENIED", thing, message=why)
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, why)

        return guarded(handler, guard)
