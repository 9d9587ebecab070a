"""Every form of a contract: what goes in comes out, and what makes no sense is told.

``EBPFD_CASES=10000`` makes as many contracts and mutations of each form; else it is a few.
"""

import os
from contextlib import suppress
from dataclasses import replace
from itertools import cycle, islice
from typing import Final

import pytest
from hypothesis import given, settings

from ebpfd.contracts import ContractError, ProgramData, contract_digest, validate_program_data
from ebpfd.rpc.contract_formats import CONTENT_TYPES, MAX_BYTES, Format, decode, decode_blob, encode
from tests.daemon.contracts.samples import SAMPLE, with_helper
from tests.daemon.contracts.valid import mutated, valid_program_data
from tests.extensions.test_shipped_contracts import NAMES, contract

CASES: Final = int(os.environ.get("EBPFD_CASES", "100"))
WHOLE: Final = [
    each for each in Format if each not in (Format.C, Format.FLAT, Format.RPCE_HISTORIC)
]
"""Forms that hold everything."""

READ: Final = [*WHOLE, Format.RPCE_HISTORIC]


def digest(data: ProgramData) -> bytes:
    """Over all helpers."""
    return contract_digest(data, [each.helper_id for each in data.program_info.helpers()])


@settings(max_examples=CASES, deadline=None)
@given(data=valid_program_data())
def test_a_contract_comes_back_as_it_was(data: ProgramData) -> None:
    """In each form: equal value, equal digest, and the same bytes each time."""
    validate_program_data(data)
    for form in WHOLE:
        content = encode(data, form)
        again = decode(content, form)
        assert again == data
        assert digest(again) == digest(data)
        assert encode(again, form) == content


def seeds(form: Format) -> list[bytes]:
    """Sound contracts to make unsound."""
    if form is Format.RPCE_HISTORIC:
        return [encode(historic(), form)]
    return [encode(contract(name), form) for name in NAMES]


@pytest.mark.parametrize("form", READ)
def test_mutated_bytes_give_an_error_or_a_contract_that_makes_sense(form: Format) -> None:
    """Never another exception, and never for ever."""
    refused = [
        understood(mutated(content, number), form) is None
        for number, content in enumerate(islice(cycle(seeds(form)), CASES))
    ]
    assert any(refused)


def understood(content: bytes, form: Format) -> ProgramData | None:
    """The contract, if it is one; any other exception than ``ContractError`` is a bug.

    A plain function of bytes, for fuzzers, too.
    """
    try:
        data = decode(content, form)
    except ContractError:
        return None
    for other in WHOLE:
        assert decode(encode(data, other), other) == data
    for partial in (Format.RPCE_HISTORIC, Format.C):
        with suppress(ContractError):
            encode(data, partial)
    return data


def historic() -> ProgramData:
    """A contract that the historical shape holds."""
    info = SAMPLE.program_info
    helpers = tuple(
        type(each)(
            helper_id=each.helper_id,
            name=each.name,
            return_type=each.return_type,
            arguments=each.arguments,
        )
        for each in info.program_type_specific_helpers
    )
    descriptor = type(info.type_descriptor)(
        name="sample",
        context_descriptor=SAMPLE.context,
        program_type=SAMPLE.program_type,
        is_privileged=True,
    )
    return ProgramData(
        program_info=type(info)(type_descriptor=descriptor, program_type_specific_helpers=helpers),
        helper_addresses=frozenset(each.helper_id for each in helpers),
    )


def test_the_historical_shape_holds_what_it_had() -> None:
    """And completes what it lacks with named defaults."""
    assert decode(encode(historic(), Format.RPCE_HISTORIC), Format.RPCE_HISTORIC) == historic()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("bind", "type_descriptor.bpf_prog_type"),
        ("netevent", "type_descriptor.bpf_prog_type"),
    ],
)
def test_the_historical_shape_is_refused_where_it_would_lose_something(
    name: str, field: str
) -> None:
    """The error names the first field."""
    with pytest.raises(ContractError) as caught:
        encode(contract(name), Format.RPCE_HISTORIC)
    assert caught.value.field == field
    assert "would be lost" in str(caught.value)


@pytest.mark.parametrize("form", WHOLE)
def test_the_code_of_helpers_goes_along(form: Format) -> None:
    """With the same digest; only the historical shape has no place for it."""
    first = historic().program_info.program_type_specific_helpers[0]
    data = with_helper(historic(), 0, code=bytes.fromhex("b7000000070000009500000000000000"))
    read = decode(encode(data, form), form)
    assert read == data
    used = {first.helper_id}
    assert contract_digest(read, used) == contract_digest(data, used)
    with pytest.raises(ContractError, match="would be lost") as caught:
        encode(data, Format.RPCE_HISTORIC)
    assert caught.value.field == f"program_type_specific_helpers[{first.name}].code"


@pytest.mark.parametrize("form", [*WHOLE, Format.RPCE_HISTORIC, Format.FLAT])
def test_what_is_too_large_is_not_begun(form: Format) -> None:
    """Reading it would keep others waiting."""
    with pytest.raises(ContractError, match="1,048,577 bytes are more than 1,048,576"):
        decode(bytes(MAX_BYTES + 1), form)


def test_a_content_type_tells_the_form() -> None:
    """As an extension gives it when it registers."""
    for form in WHOLE:
        assert decode_blob(encode(SAMPLE, form), CONTENT_TYPES[form]) == SAMPLE
    with pytest.raises(ContractError) as caught:
        decode_blob(b"", "text/plain")
    assert caught.value.field == "content_type"
    assert "vnd.ebpfd.program-data+json" in str(caught.value)


@pytest.mark.parametrize("form", [*READ, Format.C])
def test_nothing_is_written_that_could_not_be_read(form: Format) -> None:
    """The error names the field, whatever the form could hold."""
    with pytest.raises(ContractError) as caught:
        encode(replace(SAMPLE, capabilities=-1), form)
    assert caught.value.field == "capabilities"


def test_a_header_is_not_read() -> None:
    """It is for people."""
    with pytest.raises(ContractError, match="never read"):
        decode(b"", Format.C)
