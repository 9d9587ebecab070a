"""Whether program information makes sense; the error names the field.

The rules are those of eBPF for Windows for the structures, the engine's for contexts, and ours for
what goes beyond them.
What makes only an *attach* fail there (reserved capability bits, helpers without address) is not
checked here: a provider may always register.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from ebpfd.contracts.values import (
    NO_HELPER,
    POINTER_SIZE,
    AttachProviderData,
    BtfFunctionsData,
    ContextDescriptor,
    ContextField,
    HelperFunctionPrototype,
    ProgramData,
)
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.prototype import ArgumentType, ReturnType

MIN_CONTEXT_SIZE: Final = 16
MAX_CONTEXT_SIZE: Final = 64 * 1024 - 1
HIGH_LEVEL: Final = 15
MAX_ARGUMENTS: Final = 5
MAX_U32: Final = 0xFFFF_FFFF
INSTRUCTION_SIZE: Final = 8
MAX_CODE_SIZE: Final = 4096 * INSTRUCTION_SIZE
"""Bytes of a helper's code, with all functions that it calls."""

MAX_ALL_CODE_SIZE: Final = 8 * MAX_CODE_SIZE
"""Bytes of all helpers' code: it is judged while an extension waits."""

_MEMORY: Final = {
    ArgumentType.PTR_TO_READABLE_MEM,
    ArgumentType.PTR_TO_READABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_WRITABLE_MEM,
    ArgumentType.PTR_TO_WRITABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_READONLY_MEM,
    ArgumentType.PTR_TO_READONLY_MEM_OR_NULL,
}
_SIZES: Final = {ArgumentType.CONST_SIZE, ArgumentType.CONST_SIZE_OR_ZERO}
_TAKEN_BY_CODE: Final = {
    ArgumentType.DONTCARE,
    ArgumentType.ANYTHING,
    ArgumentType.PTR_TO_CTX,
    ArgumentType.PTR_TO_CTX_OR_NULL,
    ArgumentType.PTR_TO_LONG,
    ArgumentType.PTR_TO_INT,
    *_MEMORY,
    *_SIZES,
}
"""Arguments of helpers that come as code; maps are not among them."""


class ContractError(ValueError):
    """A contract is malformed; ``field`` says where."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def validate_program_data(data: ProgramData) -> None:
    """Raise ``ContractError`` for the first rule that *data* breaks."""
    for at, text in _texts(data):
        _validate_text(at, text)
    for at, number in _numbers(data):
        if not 0 <= number <= MAX_U32:
            raise ContractError(at, f"{number} is no unsigned 32-bit number")
    descriptor = data.program_info.type_descriptor
    if not descriptor.name:
        raise ContractError("type_descriptor.name", "must not be empty")
    if descriptor.program_type.int == 0:
        raise ContractError("type_descriptor.program_type", "must not be the all-zero GUID")
    if data.required_irql > HIGH_LEVEL:
        raise ContractError("required_irql", f"{data.required_irql} is above {HIGH_LEVEL} (HIGH)")
    _validate_context(data.context)
    _validate_helpers(
        "program_type_specific_helpers",
        data.program_info.program_type_specific_helpers,
        general=False,
    )
    _validate_helpers("global_helpers", data.program_info.global_helpers, general=True)
    _validate_addresses(data)
    _validate_fields(data)
    _validate_results(data)
    for index, prefix in enumerate(data.section_prefixes):
        if not prefix:
            raise ContractError(f"section_prefixes[{index}]", "a prefix must not be empty")


def _texts(data: ProgramData) -> Iterator[tuple[str, str]]:
    """Every text, with the path of its field."""
    info = data.program_info
    yield "type_descriptor.name", info.type_descriptor.name
    for path, helper in info.helper_fields():
        yield f"{path}.name", helper.name
    for index, field in enumerate(data.fields):
        yield f"fields[{index}].name", field.name
        yield f"fields[{index}].type", field.type
    for index, prefix in enumerate(data.section_prefixes):
        yield f"section_prefixes[{index}]", prefix
    for index, result in enumerate(data.results):
        yield f"results[{index}].name", result.name
    yield "context_type", data.context_type


def _numbers(data: ProgramData) -> Iterator[tuple[str, int]]:
    """Every number that has no narrower bounds, with the path of its field."""
    info = data.program_info
    yield "type_descriptor.bpf_prog_type", info.type_descriptor.bpf_prog_type
    yield "required_irql", data.required_irql
    yield "capabilities", data.capabilities
    for path, helper in info.helper_fields():
        yield f"{path}.helper_id", helper.helper_id
    for index, field in enumerate(data.fields):
        yield f"fields[{index}].offset", field.offset
        yield f"fields[{index}].size", field.size
    for index, result in enumerate(data.results):
        yield f"results[{index}].value", result.value
    yield "default_result", data.default_result


def _validate_text(at: str, text: str) -> None:
    """Every form of a contract must be able to hold it."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise ContractError(at, f"{text!r} cannot be written as UTF-8") from None
    if b"\0" in encoded:
        raise ContractError(at, f"{text!r} has a zero byte")


def validate_hook(attach_type: UUID, data: AttachProviderData) -> None:
    """Raise ``ContractError`` for the first rule that a hook's contract breaks."""
    for at, guid in (
        ("attach_type", attach_type),
        ("supported_program_type", data.supported_program_type),
    ):
        if guid.int == 0:
            raise ContractError(at, "must not be the all-zero GUID")
    if not data.name or not data.name.isprintable():
        raise ContractError("name", "a hook needs one, of characters that can be seen")
    _validate_text("name", data.name)
    for at, number in (
        ("bpf_attach_type", data.bpf_attach_type),
        ("link_type", data.link_type),
        ("closed_result", data.closed_result or 0),
        ("default_result", data.default_result or 0),
    ):
        if not 0 <= number <= MAX_U32:
            raise ContractError(at, f"{number} is no unsigned 32-bit number")
    if data.wildcards and data.capability is AttachCapability.ONE_PER_PARAMETER:
        raise ContractError("wildcards", "a hook with one link for each parameter has none")
    if data.hosted and data.capability is AttachCapability.UNSPECIFIED:
        raise ContractError("capability", "the daemon hosts it, and must know how many it takes")


def validate_functions(data: BtfFunctionsData) -> None:
    """Raise ``ContractError`` for the first rule that a module of functions breaks."""
    if not data.functions:
        raise ContractError("functions", "must not be empty")
    names: set[str] = set()
    for index, function in enumerate(data.functions):
        at = f"functions[{index}]"
        if not function.name or function.name in names:
            raise ContractError(f"{at}.name", f"{function.name!r} is empty or stands twice")
        names.add(function.name)
        _validate_arguments(at, function.arguments)


def _validate_context(context: ContextDescriptor) -> None:
    where = "type_descriptor.context_descriptor"
    if not MIN_CONTEXT_SIZE <= context.size <= MAX_CONTEXT_SIZE:
        allowed = f"{MIN_CONTEXT_SIZE} to {MAX_CONTEXT_SIZE} bytes"
        raise ContractError(f"{where}.size", f"{context.size} is not within {allowed}")
    if (context.data == -1) != (context.end == -1):
        raise ContractError(where, "data and end come together or not at all")
    if context.meta != -1 and context.data == -1:
        raise ContractError(f"{where}.meta", "comes with data and end only")
    taken: dict[int, str] = {}
    for name, offset in context.pointers():
        if not 0 <= offset <= context.size - POINTER_SIZE:
            problem = f"offset {offset} leaves no room for a pointer in {context.size} bytes"
            raise ContractError(f"{where}.{name}", problem)
        for other, other_name in taken.items():
            if abs(other - offset) < POINTER_SIZE:
                raise ContractError(f"{where}.{name}", f"overlaps {other_name}")
        taken[offset] = name
    if context.data != -1 and context.end != context.data + POINTER_SIZE:
        # The verifier takes their distance for the width of a pointer.
        problem = f"{context.end} is not {context.data + POINTER_SIZE}, right behind data"
        raise ContractError(f"{where}.end", problem)


def _validate_helpers(
    where: str, helpers: tuple[HelperFunctionPrototype, ...], *, general: bool
) -> None:
    for index, helper in enumerate(helpers):
        at = f"{where}[{index}]"
        if not helper.name:
            raise ContractError(f"{at}.name", "must not be empty")
        own = helper.helper_id > NO_HELPER
        if helper.helper_id == NO_HELPER or own == general:
            rule = "below" if general else "above"
            problem = f"{helper.helper_id} of {helper.name} is not {rule} {NO_HELPER}"
            raise ContractError(f"{at}.helper_id", problem)
        _validate_arguments(at, helper.arguments)
        if helper.code:
            _validate_code(at, helper)
    if (size := sum(len(helper.code) for helper in helpers)) > MAX_ALL_CODE_SIZE:
        problem = f"{size} bytes of code together are more than {MAX_ALL_CODE_SIZE}"
        raise ContractError(where, problem)
    for helper_id, count in Counter(helper.helper_id for helper in helpers).items():
        if count > 1:
            raise ContractError(where, f"helper id {helper_id} is declared {count} times")


def _validate_arguments(at: str, arguments: tuple[ArgumentType, ...]) -> None:
    for index, (argument, following) in enumerate(
        zip(arguments, (*arguments[1:], ArgumentType.DONTCARE), strict=True)
    ):
        if argument in _MEMORY and following not in _SIZES:
            problem = "a memory pointer must be followed by its size (CONST_SIZE)"
            raise ContractError(f"{at}.arguments[{index}]", problem)
        if argument in _SIZES and (index == 0 or arguments[index - 1] not in _MEMORY):
            problem = "a size must follow the memory pointer that it bounds"
            raise ContractError(f"{at}.arguments[{index}]", problem)
        if argument is ArgumentType.DONTCARE and following is not ArgumentType.DONTCARE:
            raise ContractError(f"{at}.arguments[{index}]", "no argument may follow DONTCARE")


def _validate_code(at: str, helper: HelperFunctionPrototype) -> None:
    """What code can be called by such a prototype; whether it is safe, the engine finds out."""
    size = len(helper.code)
    if size % INSTRUCTION_SIZE or size > MAX_CODE_SIZE:
        problem = f"{size} bytes are no whole number of instructions, 8 bytes each"
        if size > MAX_CODE_SIZE:
            problem = f"{size} bytes are more than {MAX_CODE_SIZE}"
        raise ContractError(f"{at}.code", problem)
    if helper.reallocate_packet:
        raise ContractError(f"{at}.reallocate_packet", "code cannot move the packet")
    if helper.implicit_context:
        problem = "code gets nothing that it is not passed: declare the context as an argument"
        raise ContractError(f"{at}.implicit_context", problem)
    if helper.return_type is not ReturnType.INTEGER:
        raise ContractError(f"{at}.return_type", "code returns a number: INTEGER")
    for index, argument in enumerate(helper.arguments):
        if argument not in _TAKEN_BY_CODE:
            problem = f"code cannot be passed {argument.name}: serve the helper instead"
            raise ContractError(f"{at}.arguments[{index}]", problem)


def _validate_addresses(data: ProgramData) -> None:
    declared = {helper.helper_id for helper in data.program_info.helpers()}
    if stray := sorted(data.helper_addresses - declared):
        raise ContractError("helper_addresses", f"helper id {stray[0]} has no prototype")


def _validate_fields(data: ProgramData) -> None:
    names: set[str] = set()
    for index, field in enumerate(data.fields):
        at = f"fields[{index}]"
        if not field.name or field.name in names:
            raise ContractError(f"{at}.name", f"{field.name!r} is empty or stands twice")
        names.add(field.name)
        if field.hidden and field.writable:
            raise ContractError(f"{at}.writable", f"{field.name} is hidden: nobody may write it")
        if field.size == 0 or field.offset + field.size > data.context.size:
            problem = (
                f"{field.name} takes bytes {field.offset} to {field.offset + field.size} "
                f"of a context of {data.context.size}"
            )
            raise ContractError(at, problem)
        _validate_against_pointers(at, field, data.context)


def _validate_results(data: ProgramData) -> None:
    for kind in ("value", "name"):
        known: set[object] = set()
        for index, result in enumerate(data.results):
            found = getattr(result, kind)
            if found in known or found == "":
                problem = f"{found!r} is empty or stands twice"
                raise ContractError(f"results[{index}].{kind}", problem)
            known.add(found)


def _validate_against_pointers(at: str, field: ContextField, context: ContextDescriptor) -> None:
    """What comes back of a context must never hold an address of the daemon's."""
    for name, offset in context.pointers():
        meets = field.offset < offset + POINTER_SIZE and offset < field.offset + field.size
        if meets and (field.offset, field.size) != (offset, POINTER_SIZE):
            raise ContractError(
                at, f"{field.name} must be all of the pointer {name}, or none of it"
            )
