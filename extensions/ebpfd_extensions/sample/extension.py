"""What the sample extension offers: one program type, one hook, five helpers."""

from typing import Final

from ebpfd_sdk import (
    I64,
    U16,
    U32,
    Context,
    Data,
    DataEnd,
    Hook,
    Integer,
    ProgramType,
    ReadableMemory,
    WritableMemory,
)

FAILED: Final = -1


class SampleContext(Context):
    """``sample_program_context_t``: what a program sees of an event."""

    data_start: Data = 0
    data_end: DataEnd = 0
    uint32_data: U32 = 0
    uint16_data: U16 = 0
    helper_data_1: U32 = 0
    helper_data_2: U32 = 0


sample = ProgramType(
    "f788ef4a-207d-4dc3-85cf-0f2ea107213c",
    SampleContext,
    name="sample",
    section="sample_ext",
    context_type="sample_program_context_t",
    bpf_prog_type=999,
)

events = Hook("f788ef4b-207d-4dc3-85cf-0f2ea107213c", sample, name="sample_ext", bpf_attach_type=8)


@sample.helper(0x10000)
def sample_ebpf_extension_helper_function1(ctx: SampleContext) -> Integer:  # noqa: ARG001 (it shows a context argument)
    """Do nothing, successfully."""
    return 0


@sample.helper(0x10001)
def sample_ebpf_extension_find(buffer: ReadableMemory, find: ReadableMemory) -> Integer:
    """Find a C string in another; return where it begins, or -1."""
    return _c_string(buffer).find(_c_string(find))


@sample.helper(0x10002)
def sample_ebpf_extension_replace(
    buffer: WritableMemory, position: I64, replace: ReadableMemory
) -> Integer:
    """Write a C string into a buffer from *position* on; its last byte is never touched."""
    if not 0 <= position < len(buffer):
        return FAILED
    text = _c_string(replace)[: len(buffer) - 1 - position]
    buffer[position : position + len(text)] = text
    return 0


@sample.helper(0x10003, implicit_context=True)
def sample_ebpf_extension_helper_implicit_1(ctx: SampleContext) -> Integer:
    """Read the context without being passed it."""
    return ctx.helper_data_1


@sample.helper(0x10004, implicit_context=True)
def sample_ebpf_extension_helper_implicit_2(ctx: SampleContext, arg: U32) -> Integer:
    """Read the context beside an argument."""
    return ctx.helper_data_2 + arg


def _c_string(memory: bytes) -> bytes:
    return memory.partition(b"\0")[0]
