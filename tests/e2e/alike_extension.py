"""An extension whose helpers do what they are told, and which runs batches that it is told to run.

Each line on its standard input is a batch in JSON, ``{"parameter": "00", "numbers": [1, 2]}``, and
each has a line as its answer: ``[[code, result, context in hex], ...]``.  With ``"now": true`` the
events are run one by one by ``invoke_now``.  It takes the address last.
"""

import asyncio
import json
import sys
import time

from ebpfd_extensions.sample.extension import (
    SampleContext,
    sample_ebpf_extension_find,
    sample_ebpf_extension_helper_function1,
    sample_ebpf_extension_replace,
)
from ebpfd_sdk import U32, EbpfdError, Extension, Hook, Integer, ProgramType, run
from tests.e2e.faulty_extension import FAULTS
from tests.e2e.obeying import commands, say

kind = ProgramType(
    "f788ef4a-207d-4dc3-85cf-0f2ea107213c",
    SampleContext,
    name="sample",
    section="sample_ext",
    context_type="sample_program_context_t",
    bpf_prog_type=999,
)
events = Hook("f788ef4b-207d-4dc3-85cf-0f2ea107213c", kind, name="sample_ext")

kind.helper(0x10000)(sample_ebpf_extension_helper_function1)
kind.helper(0x10001)(sample_ebpf_extension_find)
kind.helper(0x10002)(sample_ebpf_extension_replace)


@kind.helper(0x10003, implicit_context=True)
async def waits(ctx: SampleContext) -> Integer:
    """Need an event loop."""
    await asyncio.sleep(0)
    return ctx.helper_data_1


@kind.helper(0x10004, implicit_context=True, deadline_s=0.3)
def goes_wrong(ctx: SampleContext, which: U32) -> Integer:
    """As FAULTS say; beyond them it is late."""
    if which >= len(FAULTS):
        time.sleep(0.4)
        return 0
    result: int = FAULTS[which]()
    return result


def _context(number: int) -> SampleContext:
    return SampleContext(uint32_data=number, uint16_data=number, helper_data_1=number)


async def _batch(parameter: bytes, numbers: list[int]) -> list[tuple[int, int, str]]:
    contexts = b"".join(_context(number).pack() for number in numbers)
    data = b"".join(number.to_bytes(4, "little") * 2 for number in numbers)
    columns = await events.invoke_batch(
        contexts,
        data=data,
        data_lengths=(8).to_bytes(4, "little") * len(numbers),
        parameter=parameter,
    )
    left, size = columns.contexts or contexts, len(contexts) // len(numbers)
    return [
        (
            columns.codes[index] if columns.codes else 0,
            int.from_bytes(columns.results[4 * index : 4 * index + 4], "little"),
            left[index * size : (index + 1) * size].hex(),
        )
        for index in range(len(numbers))
    ]


def _now(parameter: bytes, number: int) -> tuple[int, int, str]:
    try:
        return 0, events.invoke_now(_context(number), parameter=parameter), ""
    except EbpfdError as error:
        return error.code, 0, ""


async def main(extension: Extension) -> None:
    """Obey until there are no more batches."""
    async for line in commands(extension):
        asked = json.loads(line)
        parameter, numbers = bytes.fromhex(asked["parameter"]), asked["numbers"]
        if asked.get("now"):
            done = [_now(parameter, number) for number in numbers]
        else:
            done = await _batch(parameter, numbers)
        say(json.dumps(done))


if __name__ == "__main__":
    run(kind, events, main, address=sys.argv[1])
