"""A program as it will run: what its file leaves open is filled in from the contract of its type.

Offsets of fields come from the layout of the context, helpers from their code.  From here on this
is the program: it is judged, hashed, compiled and shown.
"""

import asyncio
from collections.abc import Sequence

from ebpfd.contracts import HelperFunctionPrototype, ProgramData
from ebpfd.errors import RequestError
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, ProgramSpec


def fitted(
    spec: ProgramSpec, context_btf: bytes, helpers: Sequence[HelperFunctionPrototype]
) -> ProgramSpec:
    """*spec* for the layout that *context_btf* tells, with those *helpers* that come as code.

    ``EngineError`` says what is wrong with either.
    """
    return spec.relocated(context_btf).linked(helpers)


async def fit(spec: ProgramSpec, contract: ProgramData) -> ProgramSpec:
    """*spec* for *contract*; off the loop if it is work, for large programs take a while."""
    shipped = contract.program_info.shipped()
    if not shipped and not (spec.relocatable and contract.context_btf):
        return spec
    try:
        return await asyncio.to_thread(fitted, spec, contract.context_btf, shipped)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None
