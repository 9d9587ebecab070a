"""Contexts of test runs: what users give is flat bytes, what programs see may be made from them."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias

from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._tasks import logger


@dataclass(frozen=True, slots=True)
class FlatContext:
    """A context and its data as the user of a test run gives them, or gets them back."""

    context: bytes = b""
    data: bytes = b""
    meta_length: int = 0
    """Bytes at the beginning of the data that are metadata."""


@dataclass(frozen=True, slots=True)
class NativeContext(Generic[C]):
    """A context and its data as the program sees them."""

    context: C
    data: bytes = b""
    meta_length: int = 0


CreateContext: TypeAlias = Callable[[FlatContext], NativeContext[C] | Awaitable[NativeContext[C]]]
DestroyContext: TypeAlias = Callable[[NativeContext[C]], FlatContext | Awaitable[FlatContext]]


@dataclass(frozen=True, slots=True)
class ContextFunctions(Generic[C]):
    """The two functions of a program type; one without the other is no use."""

    type_: type[C]
    create: CreateContext[C] | None = None
    destroy: DestroyContext[C] | None = None

    @property
    def functions(self) -> list[str]:
        """Names of those that there are."""
        named = {"context_create": self.create, "context_destroy": self.destroy}
        return [name for name, function in named.items() if function is not None]

    async def call(
        self, asked: registrar_pb2.ContextCall, label: str
    ) -> registrar_pb2.ContextReturn:
        """Do what the daemon asks; an exception is an answer too."""
        creates = asked.function == registrar_pb2.CONTEXT_FUNCTION_CREATE
        try:
            return await (self._create(asked) if creates else self._destroy(asked))
        except Exception as error:  # noqa: BLE001 (the extension's own code may raise anything)
            logger.exception("%s: a context of a test run failed", label)
            return registrar_pb2.ContextReturn(
                result=Result.INVALID_ARGUMENT if creates else Result.FAILED,
                message=f"{label}: {type(error).__name__}: {error}",
            )

    async def _create(self, call: registrar_pb2.ContextCall) -> registrar_pb2.ContextReturn:
        if self.create is None:
            raise LookupError("it has no context_create")
        made = self.create(FlatContext(call.context, call.data, call.meta_length))
        native = await made if inspect.isawaitable(made) else made
        return registrar_pb2.ContextReturn(
            context=native.context.pack(), data=native.data, meta_length=native.meta_length
        )

    async def _destroy(self, call: registrar_pb2.ContextCall) -> registrar_pb2.ContextReturn:
        if self.destroy is None:
            raise LookupError("it has no context_destroy")
        context = self.type_.unpack(call.context)
        left = self.destroy(NativeContext(context, call.data, call.meta_length))
        flat = await left if inspect.isawaitable(left) else left
        return registrar_pb2.ContextReturn(
            context=flat.context, data=flat.data, meta_length=flat.meta_length
        )
