"""Helper functions: a Python signature becomes a prototype, a call's arguments its parameters.

ctx: SampleContext     PTR_TO_CTX, or nothing for an implicit context
arg: U32               ANYTHING, cut to the type's width
needle: ReadableMemory PTR_TO_READABLE_MEM, CONST_SIZE
into: WritableMemory   PTR_TO_WRITABLE_MEM, CONST_SIZE; what is written goes back
-> Integer             r0

A helper may come as code instead: then programs are linked with it, and its Python function is
never called, but says what its parameters are.
"""

import inspect
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, assert_never, get_type_hints

from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_api.v1 import contract_pb2, registrar_pb2
from ebpfd_sdk._bpf_object import MAGIC, BpfObject, ObjectFileError
from ebpfd_sdk._context import Context, copy_for_helper
from ebpfd_sdk._errors import DeclarationError
from ebpfd_sdk._failures import Failures
from ebpfd_sdk._fields import Length, Memory, Number, Pointer, meaning
from ebpfd_sdk._u32 import check_u32

HelperFunction: TypeAlias = Callable[..., int] | Callable[..., Awaitable[int]]
HelperCode: TypeAlias = bytes | str | os.PathLike[str]
"""An object file that has a function of the helper's name, its path, or bare instructions."""

MOST_ARGUMENTS: Final = 5
LONGEST_S: Final = 3600
FIRST_OWN_ID: Final = 0x10000
"""Smaller ids override general helpers."""
POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the Python function; *argument* is its first one in the prototype."""

    name: str
    type: Number | Memory | type[Context]
    argument: int


class BadAnswerError(Exception):
    """What a helper returned is no result."""


class Helper:
    """A function that programs of one type may call."""

    def __init__(
        self,
        id_: int,
        name: str,
        function: HelperFunction,
        *,
        implicit_context: bool,
        reallocate_packet: bool,
        deadline_s: float | None = None,
        code: HelperCode | None = None,
    ) -> None:
        if deadline_s is not None and not 0.001 <= deadline_s <= LONGEST_S:
            raise DeclarationError(
                f"helper {name}: deadline_s is {deadline_s}: it must be from 0.001 to {LONGEST_S}"
            )
        self.id = id_
        self.name = name
        self.function = function
        self.implicit_context = implicit_context
        self.reallocate_packet = reallocate_packet
        self.deadline_s = deadline_s
        self._failures = Failures(f"helper {name}")
        self.asynchronous = inspect.iscoroutinefunction(function)
        self.code = b"" if code is None else _read_code(name, code)
        if self.code:
            self._check_code()
        self.parameters, self.arguments = self._derive()

    def prototype(self) -> contract_pb2.HelperFunctionPrototype:
        """Say how programs call it."""
        return contract_pb2.HelperFunctionPrototype(
            helper_id=self.id,
            name=self.name,
            return_type=ReturnType.INTEGER,
            arguments=self.arguments,
            reallocate_packet=self.reallocate_packet,
            implicit_context=self.implicit_context,
            code=self.code,
        )

    def unmarshal(self, call: registrar_pb2.HelperCall) -> list[object]:
        """Turn the arguments of a call into parameters."""
        arguments = [each.memory or each.integer for each in call.arguments]
        return self.parameters_of(arguments, call.context)

    def parameters_of(self, arguments: Sequence[object], context: bytes) -> list[object]:
        """Turn arguments into parameters: numbers, bytes, and a null pointer as None or 0."""
        parameters: list[object] = []
        for parameter in self.parameters:
            if isinstance(parameter.type, type):
                parameters.append(copy_for_helper(parameter.type, context))
                continue
            argument = arguments[parameter.argument]
            match parameter.type:
                case Number() as number:
                    parameters.append(number.of(argument if isinstance(argument, int) else 0))
                case Memory(pointer=pointer):
                    memory = argument if isinstance(argument, bytes) else b""
                    writable = pointer is ArgumentType.PTR_TO_WRITABLE_MEM
                    parameters.append(bytearray(memory) if writable else memory)
                case _ as never:
                    assert_never(never)
        return parameters

    def answer(
        self, parameters: Sequence[object], result: object
    ) -> tuple[int, list[tuple[int, bytes]]]:
        """Turn the function's result into a signed one, and what it wrote into (argument, bytes).

        ``BadAnswerError`` says what is wrong with the result.
        """
        if not isinstance(result, int):
            kind = type(result).__name__
            raise BadAnswerError(f"it returned {kind}, a helper returns an int")
        if not -(1 << 63) <= result < 1 << 64:
            raise BadAnswerError(f"it returned {result}, which 64 bits cannot hold")
        signed = (int(result) + (1 << 63)) % (1 << 64) - (1 << 63)
        passed = zip(self.parameters, parameters, strict=True)
        written = [(each.argument, bytes(v)) for each, v in passed if isinstance(v, bytearray)]
        return signed, written

    def marshal(
        self, callback_id: int, parameters: Sequence[object], result: object
    ) -> registrar_pb2.HelperReturn:
        """Turn the function's result, and the memory that it wrote, into the answer."""
        try:
            signed, written = self.answer(parameters, result)
        except BadAnswerError as error:
            return self.failed(callback_id, error)
        answer = registrar_pb2.HelperReturn(callback_id=callback_id, result=signed)
        for argument, memory in written:
            answer.outputs.add(argument=argument, memory=memory)
        return answer

    def failed(self, callback_id: int, error: BaseException) -> registrar_pb2.HelperReturn:
        """Answer that the helper did not do its work: the invocation ends with FAILED."""
        return registrar_pb2.HelperReturn(callback_id=callback_id, error=self.reason(error))

    def reason(self, error: BaseException) -> str:
        """Say why it failed, and log it; the daemon's trace names the helper before it."""
        if isinstance(error, BadAnswerError):
            self._failures.note(str(error))
            return str(error)
        reason = f"{type(error).__name__}: {error}"
        self._failures.note(reason, error)
        return reason

    def _check_code(self) -> None:
        """Refuse what means nothing for code."""
        useless = {
            "implicit_context": "it gets nothing that it is not passed: give it a parameter",
            "reallocate_packet": "it cannot move the packet",
            "deadline_s": "nobody waits for it",
            "asynchronous": "nobody awaits it: write def",
        }
        for attribute, why in useless.items():
            if getattr(self, attribute):
                what = "async def" if attribute == "asynchronous" else attribute
                raise DeclarationError(f"helper {self.name} comes as code, so {what}: {why}")

    def _derive(self) -> tuple[list[Parameter], list[ArgumentType]]:
        hints = get_type_hints(self.function, include_extras=True)
        returned = hints.pop("return", None)
        if returned is not int and not isinstance(meaning(returned), Number):
            raise DeclarationError(f"helper {self.name}: it must say that it returns Integer")
        parameters: list[Parameter] = []
        arguments: list[ArgumentType] = []
        for name, given in inspect.signature(self.function).parameters.items():
            if given.kind not in POSITIONAL:
                raise DeclarationError(
                    f"helper {self.name}, parameter {name}: programs pass arguments by position"
                )
            type_ = self._type(name, hints.get(name))
            parameters.append(Parameter(name, type_, len(arguments)))
            if isinstance(type_, type):
                arguments += [] if self.implicit_context else [ArgumentType.PTR_TO_CTX]
            elif isinstance(type_, Memory):
                arguments += [type_.pointer, ArgumentType.CONST_SIZE]
            else:
                arguments.append(ArgumentType.ANYTHING)
        if len(arguments) > MOST_ARGUMENTS:
            raise DeclarationError(
                f"helper {self.name}: {len(arguments)} arguments, {MOST_ARGUMENTS} are possible "
                "(memory takes two)"
            )
        if self.implicit_context and not any(isinstance(p.type, type) for p in parameters):
            raise DeclarationError(f"helper {self.name}: no parameter takes the implicit context")
        return parameters, arguments

    def _type(self, name: str, hint: object) -> Number | Memory | type[Context]:
        if hint is int:
            return I64
        if isinstance(hint, type):
            if issubclass(hint, Context):
                return hint
            hint = None
        match meaning(hint):
            case Number() | Memory() as known:
                return known
            case None | Pointer() | Length():
                raise DeclarationError(
                    f"helper {self.name}, parameter {name}: not a type of an argument; use the "
                    "context's class, U8 to U64, I8 to I64, ReadableMemory or WritableMemory"
                )
            case _ as never:
                assert_never(never)


def check_id(given: object) -> None:
    """Refuse what is no helper's id."""
    if callable(given):
        name, id_ = getattr(given, "__name__", "f"), f"{FIRST_OWN_ID:#x}"
        raise DeclarationError(f"helper {name}: write @helper(ID), as in @helper({id_})")
    check_u32("helper id", given)


def _read_code(name: str, code: HelperCode) -> bytes:
    """The helper's instructions, with those of functions that it calls."""
    where = "its code"
    if not isinstance(code, bytes):
        where = os.fspath(code)
        try:
            code = Path(code).read_bytes()
        except OSError as error:
            raise DeclarationError(f"helper {name}: {where}: {error.strerror}") from None
    if not code.startswith(MAGIC) and where == "its code" and code and len(code) % 8 == 0:
        return code
    try:
        return BpfObject(code).code(name)
    except ObjectFileError as error:
        raise DeclarationError(f"helper {name}: {where} {error}") from None


I64: Final = Number("i64", "q", 8)
