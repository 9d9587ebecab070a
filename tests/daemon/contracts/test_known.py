"""What was registered is found by section, GUID and name."""

import dataclasses
from uuid import UUID

import pytest

from ebpfd.contracts import (
    AmbiguousContractError,
    KnownContracts,
    UnknownAttachTypeError,
    UnknownSectionError,
)
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HOOK_DATA,
    PROGRAM_TYPE,
    SAMPLE,
    with_descriptor,
)


def known() -> KnownContracts:
    """The sample's contracts, remembered."""
    contracts = KnownContracts()
    contracts.remember_program_type(SAMPLE)
    contracts.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
    return contracts


@pytest.mark.parametrize("section", ["sample_ext", "sample_ext/parse", "sample_ext1"])
def test_a_section_belongs_to_the_type_of_its_prefix(section: str) -> None:
    """Whatever follows the prefix."""
    assert known().for_section(section) == SAMPLE


def test_the_longest_prefix_wins() -> None:
    """In whatever order the types were registered."""
    longer = dataclasses.replace(
        with_descriptor(SAMPLE, program_type=UUID(int=1)), section_prefixes=("sample_ext/x", "y")
    )
    for first, second in ((SAMPLE, longer), (longer, SAMPLE)):
        contracts = KnownContracts()
        contracts.remember_program_type(first)
        contracts.remember_program_type(second)
        assert contracts.for_section("sample_ext/xyz") == longer
        assert contracts.for_section("sample_ext/abc") == SAMPLE


def test_an_unknown_section_names_the_known_prefixes() -> None:
    """Or says that there are none yet."""
    with pytest.raises(UnknownSectionError, match="known prefixes: sample_ext") as caught:
        known().for_section("xdp")
    assert caught.value.prefixes == ["sample_ext"]
    with pytest.raises(UnknownSectionError, match="no extension has registered yet"):
        KnownContracts().for_section("xdp")


@pytest.mark.parametrize("wanted", [ATTACH_TYPE, "sample_ext"])
def test_a_hook_is_found_by_guid_and_by_name(wanted: UUID | str) -> None:
    """Both lead to the GUID."""
    assert known().find_attach_type(wanted) == ATTACH_TYPE


@pytest.mark.parametrize("wanted", [UUID(int=1), "sample", ""])
def test_an_unknown_hook_names_the_known_ones(wanted: UUID | str) -> None:
    """Names, and GUIDs of those without."""
    contracts = known()
    contracts.remember_attach_type(UUID(int=2), dataclasses.replace(HOOK_DATA, name=""))
    with pytest.raises(UnknownAttachTypeError) as caught:
        contracts.find_attach_type(wanted)
    assert caught.value.names == [str(UUID(int=2)), "sample_ext"]


def test_the_latest_description_counts() -> None:
    """A new version of an extension replaces what the old one said."""
    contracts = known()
    newer = dataclasses.replace(SAMPLE, required_irql=2)
    contracts.remember_program_type(newer)
    assert contracts.program_type(PROGRAM_TYPE) == newer
    contracts.remember_attach_type(ATTACH_TYPE, dataclasses.replace(HOOK_DATA, name="renamed"))
    assert contracts.name_of(ATTACH_TYPE) == "renamed"
    assert contracts.attach_type(ATTACH_TYPE) == dataclasses.replace(HOOK_DATA, name="renamed")


def test_what_nobody_registered_is_not_known() -> None:
    """None, and the GUID for a name."""
    contracts = KnownContracts()
    assert contracts.program_type(PROGRAM_TYPE) is None
    assert contracts.attach_type(ATTACH_TYPE) is None
    assert contracts.name_of(ATTACH_TYPE) == str(ATTACH_TYPE)


ANEW = UUID(int=7)
"""An extension that was made anew has it: the same names and sections as before."""


@pytest.mark.parametrize("alive", [PROGRAM_TYPE, ANEW])
def test_of_two_types_of_one_name_and_section_that_counts_which_is_provided(alive: UUID) -> None:
    """Whichever came first; each GUID still leads to its own."""
    contracts = KnownContracts(lambda npi, guid: (npi, guid) == (PROGRAM_INFORMATION, alive))
    contracts.remember_program_type(SAMPLE)
    contracts.remember_program_type(with_descriptor(SAMPLE, program_type=ANEW))
    assert contracts.find_program_type("sample").data.program_type == alive
    assert contracts.for_section("sample_ext").program_type == alive
    for guid in (PROGRAM_TYPE, ANEW):
        assert contracts.find_program_type(guid).data.program_type == guid


@pytest.mark.parametrize("alive", [ATTACH_TYPE, ANEW])
def test_of_two_hooks_of_one_name_that_counts_which_is_provided(alive: UUID) -> None:
    """Whichever came first."""
    contracts = KnownContracts(lambda npi, guid: (npi, guid) == (HOOK, alive))
    contracts.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
    contracts.remember_attach_type(ANEW, HOOK_DATA)
    assert contracts.find_attach_type("sample_ext") == alive


@pytest.mark.parametrize("provided", [False, True])
def test_what_may_be_either_of_two_is_refused(provided: bool) -> None:
    """With both GUIDs, whether nobody provides them or two extensions do."""
    contracts = KnownContracts(lambda _, __: provided)
    contracts.remember_program_type(SAMPLE)
    contracts.remember_program_type(with_descriptor(SAMPLE, program_type=ANEW))
    contracts.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
    contracts.remember_attach_type(ANEW, HOOK_DATA)
    for look_up, guid in (
        (lambda: contracts.find_program_type("sample"), PROGRAM_TYPE),
        (lambda: contracts.for_section("sample_ext"), PROGRAM_TYPE),
        (lambda: contracts.find_attach_type("sample_ext"), ATTACH_TYPE),
    ):
        with pytest.raises(AmbiguousContractError, match=f"{guid}, {ANEW}") as caught:
            look_up()
        assert caught.value.guids == (guid, ANEW)
