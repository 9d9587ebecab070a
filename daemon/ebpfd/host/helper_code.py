"""Helpers that come as code are judged when their contract comes, against their prototypes.

So their author hears of a mistake, and not the authors of programs.  A contract with a helper that
is not shown to be safe, whatever a program may pass to it, is refused as a whole.
"""

import asyncio

from ebpfd.contracts import ContractError, ProgramData, engine_information
from ebpfd_vm import EngineError, verify_helper


async def check_code(data: ProgramData) -> None:
    """``ContractError`` names the first helper that is refused, its instruction and the reason."""
    if data.program_info.shipped():
        await asyncio.to_thread(_check, data)


def _check(data: ProgramData) -> None:
    information = engine_information(data)
    for path, helper in data.program_info.helper_fields():
        if not helper.code:
            continue
        field = f"{path}.code"
        try:
            refused = verify_helper(helper, information)
        except EngineError as error:
            raise ContractError(field, error.message) from None
        if refused is None:
            continue
        place = "" if refused.pc is None else f"instruction {refused.pc} ({refused.instruction}): "
        hint = f"; {refused.hint}" if refused.hint else ""
        raise ContractError(field, f"helper {helper.name}: {place}{refused.reason}{hint}")
