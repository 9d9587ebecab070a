"""The sample extension with one thing of its contract changed.

Run as ``python tests/e2e/changed_extension.py CHANGE ADDRESS``.
"""

import sys
from collections.abc import Callable
from typing import Final

from ebpfd_api.prototype import ReturnType
from ebpfd_api.v1.contract_pb2 import HelperFunctionPrototype, ProgramData
from ebpfd_extensions.sample.extension import SampleContext, sample
from ebpfd_sdk import Hook, ProgramType, run


def _helper(data: ProgramData, name: str) -> HelperFunctionPrototype:
    helpers = data.program_info.program_type_specific_helpers
    return next(each for each in helpers if each.name == name)


def no_argument(data: ProgramData) -> None:
    """A helper takes nothing any more."""
    _helper(data, "sample_ebpf_extension_helper_implicit_2").ClearField("arguments")


def no_addresses(data: ProgramData) -> None:
    """Prototypes only: nobody serves a helper."""
    data.ClearField("helper_addresses")


def return_type(data: ProgramData) -> None:
    """A helper returns something else."""
    find = _helper(data, "sample_ebpf_extension_find")
    find.return_type = ReturnType.PTR_TO_MAP_VALUE_OR_NULL


def reserved(data: ProgramData) -> None:
    """A capability that does not exist."""
    data.capabilities = 1


def read_only(data: ProgramData) -> None:
    """A field that programs could write."""
    data.fields[2].writable = False


CHANGES: Final[dict[str, Callable[[ProgramData], None]]] = {
    "no-argument": no_argument,
    "no-addresses": no_addresses,
    "return-type": return_type,
    "reserved": reserved,
    "read-only": read_only,
}


class ChangedType(ProgramType[SampleContext]):
    """The sample's program type with its helpers, and one change."""

    def __init__(self, change: Callable[[ProgramData], None]) -> None:
        super().__init__(
            sample.guid,
            SampleContext,
            name=sample.name,
            section=sample.sections,
            bpf_prog_type=sample.bpf_prog_type,
        )
        self.helpers.update(sample.helpers)
        self._change = change

    def program_data(self) -> ProgramData:
        """What it offers instead."""
        data = super().program_data()
        self._change(data)
        return data


def main() -> None:
    """Serve until told to stop."""
    changed = ChangedType(CHANGES[sys.argv[1]])
    events = Hook(
        "f788ef4b-207d-4dc3-85cf-0f2ea107213c", changed, name="sample_ext", bpf_attach_type=8
    )
    run(changed, events, address=sys.argv[2])


if __name__ == "__main__":
    main()
