"""What an invocation came to."""

from typing import Final, Generic, TypeVar

from ebpfd_api.result import Result
from ebpfd_sdk._context import Context

C = TypeVar("C", bound=Context)

RESULTS: Final = tuple(
    Result(code) if code in Result._value2member_map_ else Result.FAILED for code in range(256)
)
"""Codes travel as bytes; one that this version does not know is a failure like any other."""


def result_of(code: int) -> Result:
    """Name a result code."""
    return RESULTS[code] if 0 <= code < len(RESULTS) else Result.FAILED


class Answer(Generic[C]):
    """One context's way through a hook."""

    __slots__ = ("_type", "code", "context_bytes", "data", "message", "result")

    def __init__(
        self,
        code: Result,
        result: int = 0,
        context_bytes: bytes = b"",
        data: bytes = b"",
        message: str = "",
        type_: type[C] | None = None,
    ) -> None:
        self.code = code
        self.result = result
        self.context_bytes = context_bytes
        self.data = data
        self.message = message
        self._type = type_

    @property
    def context(self) -> C:
        """The context as the program left it, decoded when somebody looks."""
        if self._type is None:
            raise TypeError(
                "the class of this context is not known here: name the hook by its Hook object, "
                "or read context_bytes"
            )
        return self._type.unpack(self.context_bytes or self._type.layout.zeros)

    def __repr__(self) -> str:
        message = f", {self.message!r}" if self.message else ""
        return f"Answer({self.code.name}, {self.result}{message})"
