"""Program information as the structures of eBPF for Windows lie in memory: it is only read.

The image begins with an ``ebpf_program_data_t``; ``flat_image`` says what pointers are.  Offsets
are those of 64-bit machines, and stand in the code beside the fields that they are of.

What a file cannot hold is not looked at: the functions that make and destroy contexts.  An address
of a helper is only whether the helper is served: 0 says no.  What ebpfd adds to the structures has
its defaults.
"""

from enum import IntEnum
from typing import Final, TypeVar

from ebpfd.contracts.flat_image import POINTER_SIZE, Image
from ebpfd.contracts.validation import MAX_ARGUMENTS, ContractError, validate_program_data
from ebpfd.contracts.values import (
    ContextDescriptor,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramTypeDescriptor,
)
from ebpfd_api.prototype import ArgumentType, ReturnType

_Enumeration = TypeVar("_Enumeration", bound=IntEnum)

# Bytes up to the end of the last field, of each version of a structure that there ever was.
_DESCRIPTOR_SIZES: Final = (61,)
_WITH_ARGUMENTS: Final = 64
_WITH_FLAGS: Final = 65
_WITH_IMPLICIT_CONTEXT: Final = 66
_PROTOTYPE_SIZES: Final = (_WITH_ARGUMENTS, _WITH_FLAGS, _WITH_IMPLICIT_CONTEXT)
_INFO_SIZES: Final = (64,)
_ADDRESSES_SIZES: Final = (40,)
_WITH_IRQL: Final = 65
_WITH_CAPABILITIES: Final = 72
_DATA_SIZES: Final = (_WITH_IRQL, _WITH_CAPABILITIES)

_REALLOCATE_PACKET: Final = 0x01


def decode_flat(content: bytes) -> ProgramData:
    """The contract that *content* holds; ``ContractError`` names what is wrong with it."""
    data = _read_data(Image(content))
    validate_program_data(data)
    return data


def _read_data(image: Image) -> ProgramData:
    """``ebpf_program_data_t``."""
    header = image.header(0, _DATA_SIZES, "program_data")
    info = _read_info(image, image.followed(24, "program_info"))
    own = _read_addresses(
        image,
        image.pointer(32, "program_type_specific_helper_function_addresses"),
        info.program_type_specific_helpers,
        "program_type_specific_helper_function_addresses",
    )
    general = _read_addresses(
        image,
        image.pointer(40, "global_helper_function_addresses"),
        info.global_helpers,
        "global_helper_function_addresses",
    )
    has_capabilities = header.size >= _WITH_CAPABILITIES
    return ProgramData(
        program_info=info,
        required_irql=image.number(64, 1, "required_irql"),
        capabilities=image.number(68, 4, "capabilities") if has_capabilities else 0,
        helper_addresses=own | general,
    )


def _read_info(image: Image, start: int) -> ProgramInfo:
    """``ebpf_program_info_t``."""
    image.header(start, _INFO_SIZES, "program_info")
    descriptor = image.followed(start + 24, "type_descriptor")
    return ProgramInfo(
        type_descriptor=_read_descriptor(image, descriptor),
        program_type_specific_helpers=_read_prototypes(
            image, start + 32, "program_type_specific_helpers"
        ),
        global_helpers=_read_prototypes(image, start + 48, "global_helpers"),
    )


def _read_descriptor(image: Image, start: int) -> ProgramTypeDescriptor:
    """``ebpf_program_type_descriptor_t``."""
    at = "type_descriptor"
    image.header(start, _DESCRIPTOR_SIZES, at)
    context = image.followed(start + 32, f"{at}.context_descriptor")
    return ProgramTypeDescriptor(
        name=image.name(start + 24, f"{at}.name"),
        context_descriptor=_read_context(image, context, f"{at}.context_descriptor"),
        program_type=image.guid(start + 40, f"{at}.program_type"),
        bpf_prog_type=image.number(start + 56, 4, f"{at}.bpf_prog_type"),
        is_privileged=bool(image.number(start + 60, 1, f"{at}.is_privileged")),
    )


def _read_context(image: Image, start: int, at: str) -> ContextDescriptor:
    """``ebpf_context_descriptor_t``, which has no header."""
    size, data, end, meta = (
        image.number(start + 4 * index, 4, f"{at}.{name}", signed=True)
        for index, name in enumerate(("size", "data", "end", "meta"))
    )
    return ContextDescriptor(size=size, data=data, end=end, meta=meta)


def _read_prototypes(image: Image, start: int, at: str) -> tuple[HelperFunctionPrototype, ...]:
    """The count at *start*, and the array that the pointer behind it leads to."""
    count = image.number(start, 4, at)
    if count == 0:
        return ()
    first = image.followed(start + 8, at)
    # The first element says how far the others are from each other: they may be longer than ours.
    stride = image.header(first, _PROTOTYPE_SIZES, f"{at}[0]").total_size
    image.fits(first, count, stride, at)
    return tuple(
        _read_prototype(image, first + index * stride, f"{at}[{index}]") for index in range(count)
    )


def _read_prototype(image: Image, start: int, at: str) -> HelperFunctionPrototype:
    """``ebpf_helper_function_prototype_t``."""
    size = image.header(start, _PROTOTYPE_SIZES, at).size
    flags = image.number(start + 64, 1, f"{at}.flags") if size >= _WITH_FLAGS else 0
    if flags & ~_REALLOCATE_PACKET:
        raise ContractError(f"{at}.flags", f"{flags:#x} has bits that are reserved")
    implicit = size >= _WITH_IMPLICIT_CONTEXT and image.number(
        start + 65, 1, f"{at}.implicit_context"
    )
    return HelperFunctionPrototype(
        helper_id=image.number(start + 24, 4, f"{at}.helper_id"),
        name=image.name(start + 32, f"{at}.name"),
        return_type=_read_enumeration(image, start + 40, ReturnType, f"{at}.return_type"),
        arguments=tuple(
            _read_enumeration(
                image, start + 44 + 4 * index, ArgumentType, f"{at}.arguments[{index}]"
            )
            for index in range(MAX_ARGUMENTS)
        ),
        reallocate_packet=bool(flags & _REALLOCATE_PACKET),
        implicit_context=bool(implicit),
    )


def _read_addresses(
    image: Image, start: int, helpers: tuple[HelperFunctionPrototype, ...], at: str
) -> frozenset[int]:
    """``ebpf_helper_function_addresses_t``: the ids of those *helpers* that have an address."""
    if start == 0:
        return frozenset()
    image.header(start, _ADDRESSES_SIZES, at)
    count = image.number(start + 24, 4, f"{at}.helper_function_count")
    if count == 0 or count != len(helpers):
        problem = f"{count} addresses for {len(helpers)} helpers"
        raise ContractError(f"{at}.helper_function_count", problem)
    first = image.followed(start + 32, f"{at}.helper_function_address")
    addresses = (
        image.number(first + index * POINTER_SIZE, POINTER_SIZE, f"{at}[{index}]")
        for index in range(count)
    )
    return frozenset(
        helper.helper_id for helper, address in zip(helpers, addresses, strict=True) if address
    )


def _read_enumeration(image: Image, start: int, kind: type[_Enumeration], at: str) -> _Enumeration:
    value = image.number(start, 4, at)
    try:
        return kind(value)
    except ValueError:
        raise ContractError(at, f"{value} is no {kind.__name__}") from None
