"""What differs between two contracts is named by field, with both values."""

import dataclasses

import pytest
from hypothesis import given

from ebpfd.contracts import ProgramData
from ebpfd.contracts.difference import (
    ABSENT,
    Difference,
    differences,
    differences_in_use,
    summary,
)
from ebpfd_api.prototype import ArgumentType, ReturnType
from tests.daemon.contracts.samples import (
    HELPERS,
    HOOK_DATA,
    SAMPLE,
    helper,
    program_data,
    with_context,
    with_descriptor,
    with_helper,
    with_info,
)
from tests.daemon.contracts.test_digest import USED, WEIGHS, WEIGHS_NOT, Change, with_field

replace = dataclasses.replace
OWN = "program_type_specific_helpers"


def in_order(data: ProgramData) -> ProgramData:
    """*data* with its helpers by id."""
    info = data.program_info
    own, general = info.program_type_specific_helpers, info.global_helpers
    return with_info(
        data,
        program_type_specific_helpers=tuple(sorted(own, key=repr)),
        global_helpers=tuple(sorted(general, key=repr)),
    )


SAID: dict[str, tuple[Change, str]] = {
    "return type": (
        lambda data: with_helper(data, 1, return_type=ReturnType.PTR_TO_MAP_VALUE_OR_NULL),
        "program_type_specific_helpers[find].return_type is 1, was 0",
    ),
    "argument": (
        lambda data: with_helper(
            data, 0, arguments=(ArgumentType.ANYTHING, *HELPERS[0].arguments[1:])
        ),
        "program_type_specific_helpers[function1].arguments[0] is 1, was 4",
    ),
    "helper's name": (
        lambda data: with_helper(data, 1, name="seek"),
        'program_type_specific_helpers[find].name is "seek", was "find"',
    ),
    "code": (
        lambda data: with_helper(data, 1, code=bytes(range(8))),
        "program_type_specific_helpers[find].code is 0001020304050607, was empty",
    ),
    "long code": (
        lambda data: with_helper(data, 1, code=bytes(800)),
        f"{OWN}[find].code is 800 bytes (SHA-256 67042dfda5683aea), was empty",
    ),
    "helper gone": (
        lambda data: with_info(data, program_type_specific_helpers=HELPERS[1:]),
        "program_type_specific_helpers[function1] is absent, was present",
    ),
    "override": (
        lambda data: with_info(data, global_helpers=(helper(1, "lookup"),)),
        "global_helpers[lookup] is present, was absent",
    ),
    "type's name": (
        lambda data: with_descriptor(data, name="other"),
        'type_descriptor.name is "other", was "sample"',
    ),
    "flag": (
        lambda data: with_descriptor(data, is_privileged=True),
        "type_descriptor.is_privileged is true, was false",
    ),
    "context": (
        lambda data: replace(with_context(data, size=40), fields=data.fields),
        "type_descriptor.context_descriptor.size is 40, was 32",
    ),
    "field": (
        lambda data: with_field(data, writable=False),
        "fields[uint32_data].writable is false, was true",
    ),
    "address": (
        lambda data: replace(data, helper_addresses=data.helper_addresses - {0x10001}),
        "helper_addresses[65537] is absent, was 65537",
    ),
    "prefix": (
        lambda data: replace(data, section_prefixes=("sample_ext", "more")),
        'section_prefixes[1] is "more", was absent',
    ),
    "level": (lambda data: replace(data, required_irql=2), "required_irql is 2, was 0"),
}


@pytest.mark.parametrize("what", SAID)
def test_a_difference_names_the_field_and_both_values(what: str) -> None:
    """And nothing else, as nothing else was changed."""
    change, said = SAID[what]
    assert [str(each) for each in differences(SAMPLE, change(SAMPLE))] == [said]


def test_the_order_of_fields_is_a_difference_and_that_of_helpers_is_none() -> None:
    """A program that is loaded is concerned with neither."""
    few = replace(SAMPLE, fields=SAMPLE.fields[:3])
    turned = replace(few, fields=few.fields[::-1])
    (found,) = differences(few, turned)
    assert not list(differences_in_use(few, turned, USED))
    names = "data_start data_end uint32_data", "uint32_data data_end data_start"
    assert found == Difference("fields in order", *names)
    assert not list(
        differences(SAMPLE, with_info(SAMPLE, program_type_specific_helpers=HELPERS[::-1]))
    )


def test_contracts_of_every_kind_are_compared() -> None:
    """A hook's as well: whatever is a dataclass."""
    other = replace(HOOK_DATA, link_type=7)
    assert list(differences(HOOK_DATA, other)) == [Difference("link_type", 1, 7)]


@pytest.mark.parametrize("what", WEIGHS)
def test_whatever_changes_the_digest_is_named(what: str) -> None:
    """So a program that waits can always be told why."""
    assert list(differences_in_use(SAMPLE, WEIGHS[what](SAMPLE), USED))


@pytest.mark.parametrize("what", WEIGHS_NOT)
def test_what_a_program_does_not_rely_on_is_not_blamed(what: str) -> None:
    """Helpers that it does not call, and what no verdict hangs on."""
    assert list(differences_in_use(SAMPLE, WEIGHS_NOT[what](SAMPLE), USED)) == []


@given(program_data.map(in_order), program_data.map(in_order))
def test_any_two_contracts_that_differ_have_a_difference(
    one: ProgramData, other: ProgramData
) -> None:
    """Whatever they are made of, sensible or not; only the order of helpers means nothing."""
    assert bool(list(differences(one, other))) == (one != other)


@given(program_data)
def test_a_contract_does_not_differ_from_itself(data: ProgramData) -> None:
    """Whatever it is made of, also names that stand twice."""
    assert list(differences(data, data)) == []


def test_names_that_stand_twice_are_compared_by_place() -> None:
    """They tell nothing apart."""
    twice = (SAMPLE.fields[0], SAMPLE.fields[0])
    (found,) = differences(
        replace(SAMPLE, fields=twice), replace(SAMPLE, fields=(*twice, SAMPLE.fields[1]))
    )
    assert (found.field, found.old) == ("fields[2]", ABSENT)


def test_a_summary_names_a_few_and_counts_the_rest() -> None:
    """One line, however much has changed."""
    found = differences(SAMPLE, with_context(SAMPLE, size=40, data=16, end=24))
    said = summary(found)
    assert said.startswith("type_descriptor.context_descriptor.size is 40, was 32; ")
    assert said.endswith("; and 6 more")
    assert said.count("; ") == 3
    assert summary(differences(SAMPLE, SAMPLE)) == ""
