"""Contracts as frozen values, named as in the headers of eBPF for Windows.

Versioned headers belong to the binary forms and are left to the codecs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.failure import Failure, Policy
from ebpfd_api.prototype import ArgumentType, ReturnType

POINTER_SIZE: Final = 8
"""Bytes of a context's data pointers."""

NO_HELPER: Final = 0xFFFF
"""Between the ids of general helpers and those that belong to one program type."""

FIRST_TYPE_SPECIFIC_HELPER: Final = NO_HELPER + 1
"""Helper ids from here on belong to one program type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDescriptor:
    """``ebpf_context_descriptor_t``: bytes, and byte offsets of pointers (-1: none)."""

    size: int
    data: int = -1
    end: int = -1
    meta: int = -1

    def pointers(self) -> tuple[tuple[str, int], ...]:
        """(name, offset) of each pointer that the context has."""
        named = (("data", self.data), ("end", self.end), ("meta", self.meta))
        return tuple((name, offset) for name, offset in named if offset != -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTypeDescriptor:
    """``ebpf_program_type_descriptor_t``."""

    name: str
    context_descriptor: ContextDescriptor
    program_type: UUID
    bpf_prog_type: int = 0
    is_privileged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperFunctionPrototype:
    """``ebpf_helper_function_prototype_t``; ``arguments`` always has five entries.

    Beyond eBPF for Windows a helper may come as ``code``: instructions, the first of which it
    begins with, and behind it those of the functions that it calls.  Programs are linked with it,
    so that nobody serves it.
    """

    helper_id: int
    name: str
    return_type: ReturnType
    arguments: tuple[ArgumentType, ...]
    reallocate_packet: bool = False
    implicit_context: bool = False
    code: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramInfo:
    """``ebpf_program_info_t``."""

    type_descriptor: ProgramTypeDescriptor
    program_type_specific_helpers: tuple[HelperFunctionPrototype, ...] = ()
    global_helpers: tuple[HelperFunctionPrototype, ...] = ()

    def helpers(self) -> tuple[HelperFunctionPrototype, ...]:
        """All prototypes: the type's own, then its overrides of general ones."""
        return self.program_type_specific_helpers + self.global_helpers

    def helper_fields(self) -> Iterator[tuple[str, HelperFunctionPrototype]]:
        """All prototypes, with the paths of their fields."""
        for kind, helpers in (
            ("program_type_specific_helpers", self.program_type_specific_helpers),
            ("global_helpers", self.global_helpers),
        ):
            for index, helper in enumerate(helpers):
                yield f"{kind}[{index}]", helper

    def overridden(self) -> frozenset[int]:
        """The general helpers that the type has its own of."""
        return frozenset(helper.helper_id for helper in self.global_helpers)

    def shipped(self) -> tuple[HelperFunctionPrototype, ...]:
        """The prototypes of those that come as code."""
        return tuple(helper for helper in self.helpers() if helper.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextField:
    """A named piece of the context, and what programs may do with it.

    ``offset`` and ``size`` are bytes.  What a program writes to it comes back if it is
    ``writable``; of a ``hidden`` one no program reads anything.  ``type`` is what an author would
    write in C: ``u32``, ``u8[16]``.  Fields may overlap, as those of a union do.
    """

    name: str
    offset: int
    size: int
    writable: bool = True
    hidden: bool = False
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramResult:
    """A result of programs that has a name; if it ``stops_chain``, no further program is run."""

    value: int
    name: str
    stops_chain: bool = False


@dataclass(frozen=True, slots=True)
class ChainRule:
    """After which results no further program of a chain is run: these, or all but these."""

    these: frozenset[int] = frozenset()
    all_but: bool = False

    def stops(self, result: int) -> bool:
        """Whether this one does."""
        return (result in self.these) is not self.all_but

    def stops_none(self, results: Collection[int]) -> bool:
        """Whether none of these does."""
        if self.all_but:
            return self.these.issuperset(results)
        return self.these.isdisjoint(results)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramData:
    """``ebpf_program_data_t``: characteristics of a program-information provider.

    ``helper_addresses`` are the ids of the helpers that the provider serves.  What follows goes
    beyond eBPF for Windows: ``context_type`` is the name of the context's struct in C,
    ``context_btf`` describes it to programs that are relocated when it changes; results without
    a name stop a chain if ``other_results_stop``, and a chain that ran no program ends with
    ``default_result``.
    """

    program_info: ProgramInfo
    required_irql: int = 0
    capabilities: int = 0
    helper_addresses: frozenset[int] = frozenset()
    fields: tuple[ContextField, ...] = ()
    section_prefixes: tuple[str, ...] = ()
    results: tuple[ProgramResult, ...] = ()
    other_results_stop: bool = False
    default_result: int = 0
    context_type: str = ""
    context_btf: bytes = b""

    def chain_rule(self) -> ChainRule:
        """When no further program of a chain is run."""
        others = self.other_results_stop
        return ChainRule(
            frozenset(each.value for each in self.results if each.stops_chain is not others),
            others,
        )

    @property
    def program_type(self) -> UUID:
        """GUID of the type that is described."""
        return self.program_info.type_descriptor.program_type

    @property
    def name(self) -> str:
        """What people call the type."""
        return self.program_info.type_descriptor.name

    @property
    def context(self) -> ContextDescriptor:
        """Layout of the contexts that programs of the type get."""
        return self.program_info.type_descriptor.context_descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachProviderData:
    """``ebpf_attach_provider_data_t``: characteristics of a hook provider.

    Beyond eBPF for Windows it has the hook's name, says whom the provider takes, which parameters
    stand for every one, and by which result it stops an event; None: by none.  ``default_result``
    is for events that reach nobody; None: the program type's.  A ``hosted`` one the daemon
    provides itself.
    """

    supported_program_type: UUID
    bpf_attach_type: int = 0
    link_type: int = 0
    name: str = ""
    capability: AttachCapability = AttachCapability.UNSPECIFIED
    wildcards: tuple[bytes, ...] = ()
    closed_result: int | None = None
    default_result: int | None = None
    hosted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionData:
    """``ebpf_extension_data_t``: characteristics of a hook client, with who is behind it.

    Of links with one parameter, those with a lower ``priority`` run first.  ``policy`` is for
    events that find something in their way.
    """

    data: bytes = b""
    prog_attach_flags: int = 0
    link_id: int = 0
    program_id: int = 0
    program_name: str = ""
    priority: int = 0
    policy: Policy = field(default_factory=dict[Failure, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class BtfResolvedFunction:
    """``ebpf_btf_resolved_function_prototype_t``, with the module that has the function."""

    module: UUID
    name: str
    return_type: ReturnType
    arguments: tuple[ArgumentType, ...]
    reallocate_packet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BtfFunctionsData:
    """``ebpf_btf_resolved_function_provider_data_t``: characteristics of a module of functions."""

    functions: tuple[BtfResolvedFunction, ...]

    def find(self, name: str) -> BtfResolvedFunction | None:
        """The function of that name."""
        return next((each for each in self.functions if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInformation:
    """A contract as the engine reads it: what may be called, seen and written back."""

    name: str
    context: ContextDescriptor
    is_privileged: bool
    helpers: tuple[HelperFunctionPrototype, ...]
    writable: tuple[tuple[int, int], ...]
    fields: tuple[ContextField, ...] = ()
    functions: tuple[BtfResolvedFunction, ...] = ()
    """What the program may import of other modules."""

    program_type: bytes = b""


def engine_information(
    data: ProgramData, functions: tuple[BtfResolvedFunction, ...] = ()
) -> EngineInformation:
    """The engine's view of *data*, with what the program imports of other modules."""
    descriptor = data.program_info.type_descriptor
    return EngineInformation(
        name=descriptor.name,
        context=descriptor.context_descriptor,
        is_privileged=descriptor.is_privileged,
        helpers=data.program_info.helpers(),
        writable=writable_ranges(data),
        fields=data.fields,
        functions=functions,
        program_type=data.program_type.bytes,
    )


def writable_ranges(data: ProgramData) -> tuple[tuple[int, int], ...]:
    """(offset, size) of what comes back of a context: never its pointers."""
    pointers = sorted(offset for _, offset in data.context.pointers())
    if data.fields:
        return tuple(
            (field.offset, field.size)
            for field in data.fields
            if field.writable and field.offset not in pointers
        )
    gaps: list[tuple[int, int]] = []
    start = 0
    for pointer in (*pointers, data.context.size):
        if pointer > start:
            gaps.append((start, pointer - start))
        start = pointer + POINTER_SIZE
    return tuple(gaps)
