"""A contract as a C header, for the authors of programs of its type.

The header is all that a program needs: clang compiles it without any other.  Headers of several
types can be included beside each other; what they have in common stands in a part of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ebpfd.contracts.c_layout import named_fields, struct_members
from ebpfd.contracts.c_names import Names, identifier, prefixed, quoted
from ebpfd.contracts.values import HelperFunctionPrototype, ProgramData
from ebpfd_api.map_type import MapType
from ebpfd_api.prototype import ArgumentType, ReturnType

_FIRST_CUSTOM_MAP: Final = 15

_COMMON: Final = """\
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;

#ifndef NULL
#define NULL ((void *)0)
#endif

// Puts a program or a map where the loader looks for it.
#define SEC(name) __attribute__((section(name), used))

// Fields of a map declaration: the loader reads them from the types (BTF), not from memory.
#define __uint(name, value) int(*name)[value]
#define __type(name, type_) typeof(type_) *name
// Programs of a PROG_ARRAY, or the template of a map of maps: __array(values, int(void *)).
#define __array(name, type_) typeof(type_) *name[]

#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_EXIST 2

// The ring of the processor that runs the program, and how much data shall follow the record.
#define BPF_F_CURRENT_CPU 0xffffffffULL
#define BPF_F_CTXLEN(bytes) ((uint64_t)(bytes) << 32)
"""

_ARGUMENTS: Final = {
    ArgumentType.ANYTHING: ("uint64_t ", "argument"),
    ArgumentType.CONST_SIZE: ("uint32_t ", "size"),
    ArgumentType.CONST_SIZE_OR_ZERO: ("uint32_t ", "size"),
    ArgumentType.PTR_TO_MAP: ("void *", "map"),
    ArgumentType.CONST_PTR_TO_MAP: ("void *", "map"),
    ArgumentType.PTR_TO_MAP_OF_PROGRAMS: ("void *", "map"),
    ArgumentType.PTR_TO_MAP_KEY: ("const void *", "key"),
    ArgumentType.PTR_TO_MAP_VALUE: ("const void *", "value"),
    ArgumentType.PTR_TO_UNINIT_MAP_VALUE: ("void *", "value"),
    ArgumentType.PTR_TO_READABLE_MEM: ("const void *", "from"),
    ArgumentType.PTR_TO_READABLE_MEM_OR_NULL: ("const void *", "from"),
    ArgumentType.PTR_TO_READONLY_MEM: ("const void *", "from"),
    ArgumentType.PTR_TO_READONLY_MEM_OR_NULL: ("const void *", "from"),
    ArgumentType.PTR_TO_WRITABLE_MEM: ("void *", "into"),
    ArgumentType.PTR_TO_WRITABLE_MEM_OR_NULL: ("void *", "into"),
    ArgumentType.PTR_TO_LONG: ("int64_t *", "number"),
    ArgumentType.PTR_TO_INT: ("int32_t *", "number"),
    ArgumentType.PTR_TO_CONST_STR: ("const char *", "text"),
}
"""C's type of an argument, with what follows it, and what the argument is called."""

_LINKED: Final = "// Comes as code: a call of it stays within the program."

_INTEGERS: Final = {ReturnType.INTEGER, ReturnType.INTEGER_OR_NO_RETURN_IF_SUCCEED}


def c_header(data: ProgramData, general: Sequence[HelperFunctionPrototype]) -> bytes:
    """The header of *data*'s type; *general* are the helpers that all types have.

    ``ContractError`` names the field that would not be C.
    """
    descriptor = data.program_info.type_descriptor
    common = [
        *_COMMON.splitlines(),
        "",
        *_map_types(),
        "",
        "// A helper is called through its number.",
        *(_helper(each, "void *", each.name) for each in general),
    ]
    names = Names("\n".join(common))
    called = quoted(descriptor.name)
    lines = [
        f"// Programs of type {called} ({descriptor.program_type}): what they see and",
        "// may call.  Made from the type's contract: do not edit.",
        "#pragma once",
        "",
        "#ifndef EBPFD_PROGRAMS",
        "#define EBPFD_PROGRAMS",
        "",
        *common,
        "",
        "#endif",
        "",
        *_context(data, names),
        "",
        *_own_helpers(data, general, names),
        *_sections(data),
        *_results(data, names),
    ]
    while not lines[-1]:
        lines.pop()
    return ("\n".join(lines) + "\n").encode()


def _map_types() -> Iterator[str]:
    for each in MapType:
        if MapType.UNSPEC < each < _FIRST_CUSTOM_MAP:
            yield f"#define BPF_MAP_TYPE_{each.name} {each.value}"


def _context_type(data: ProgramData) -> str:
    return data.context_type or prefixed(data.name, "context_t")


def _context(data: ProgramData, names: Names) -> Iterator[str]:
    name, size = names.declare(_context_type(data), "context_type"), data.context.size
    layout = struct_members(data)
    packed = "__attribute__((packed)) " if layout.is_packed else ""
    # A context begins at a multiple of 64.  It is the name that is aligned, or the size would have
    # to be a multiple, too; were it not, clang would load each pointer byte by byte.
    aligned = " __attribute__((aligned(8)))" if layout.is_packed else ""
    # Programs compiled with such a header follow the context when its layout changes.
    followed = "__attribute__((preserve_access_index)) " if data.context_btf else ""
    yield f"typedef struct {followed}{packed}_{name.removesuffix('_t')}"
    yield "{"
    yield from (f"    {line}" for line in layout.lines)
    yield f"}} {name}{aligned};"
    yield ""
    yield f'_Static_assert(sizeof({name}) == {size}, "a context has {size} bytes");'
    for field in named_fields(data):
        if not field.hidden:
            place = f"__builtin_offsetof({name}, {field.name}) == {field.offset}"
            yield f'_Static_assert({place}, "{field.name} lies at {field.offset}");'


def _own_helpers(
    data: ProgramData, general: Sequence[HelperFunctionPrototype], names: Names
) -> Iterator[str]:
    """The type's own, and those general ones that it overrides with other arguments."""
    context = f"{_context_type(data)} *"
    known = {each.helper_id: each for each in general}
    declared: list[str] = []
    for index, each in enumerate(data.program_info.program_type_specific_helpers):
        name = names.declare(each.name, f"program_type_specific_helpers[{index}].name")
        declared.append(_helper(each, context, name))
    for index, each in enumerate(data.program_info.global_helpers):
        usual = known.get(each.helper_id)
        if usual and (_taken(usual), usual.return_type) == (_taken(each), each.return_type):
            continue
        name = prefixed(data.name, each.name) if usual else each.name
        declared.append(
            _helper(each, context, names.declare(name, f"global_helpers[{index}].name"))
        )
    if declared:
        yield from (*declared, "")


def _helper(helper: HelperFunctionPrototype, context: str, name: str) -> str:
    spelled = [_argument(kind, context) for kind in _taken(helper)]
    often = Counter(called for _, called in spelled)
    seen: Counter[str] = Counter()
    parameters: list[str] = []
    for type_, called in spelled:
        seen[called] += 1
        number = f"_{seen[called]}" if often[called] > 1 else ""
        parameters.append(f"{type_}{called}{number}")
    returned = "int64_t " if helper.return_type in _INTEGERS else "void *"
    given = ", ".join(parameters) or "void"
    declared = f"static {returned}(*const {name})({given}) = (void *){helper.helper_id:#x};"
    return f"{_LINKED}\n{declared}" if helper.code else declared


def _taken(helper: HelperFunctionPrototype) -> list[ArgumentType]:
    """The arguments that it has."""
    return [kind for kind in helper.arguments if kind is not ArgumentType.DONTCARE]


def _argument(kind: ArgumentType, context: str) -> tuple[str, str]:
    if kind in (ArgumentType.PTR_TO_CTX, ArgumentType.PTR_TO_CTX_OR_NULL):
        return context, "context"
    return _ARGUMENTS.get(kind, ("void *", "pointer"))


def _sections(data: ProgramData) -> Iterator[str]:
    if data.section_prefixes:
        yield "// Where programs of this type go: SEC(...)."
        often: Counter[str] = Counter()
        for prefix in data.section_prefixes:
            macro = f"SECTION_{identifier(prefix).upper()}"
            often[macro] += 1
            number = f"_{often[macro]}" if often[macro] > 1 else ""
            yield f"#define {macro}{number} {quoted(prefix)}"
        yield ""


def _results(data: ProgramData, names: Names) -> Iterator[str]:
    if data.results:
        yield f"enum {prefixed(data.name, 'result')}"
        yield "{"
        for index, each in enumerate(data.results):
            yield f"    {names.declare(each.name, f'results[{index}].name')} = {each.value},"
        yield "};"
