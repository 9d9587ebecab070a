"""No method is forgotten when it is asked who may call it."""

import importlib
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

import ebpfd_api.v1
from ebpfd.rpc.rules import RULES, free, rule_of


def methods() -> dict[str, MethodDescriptor]:
    """All methods of all services of the API, by service and name."""
    found: dict[str, MethodDescriptor] = {}
    for path in Path(ebpfd_api.v1.__file__).parent.glob("*_pb2.py"):
        file: FileDescriptor = importlib.import_module(f"ebpfd_api.v1.{path.stem}").DESCRIPTOR
        for service in file.services_by_name.values():
            found |= {f"{service.name}/{each.name}": each for each in service.methods}
    return found


def test_every_method_has_its_rule_and_every_rule_its_method() -> None:
    """Who adds a method decides who may call it."""
    assert set(RULES) == set(methods())


def test_a_method_without_a_rule_is_for_nobody() -> None:
    """Of this API, or of a service that was added to the server."""
    assert rule_of("/ebpfd_api.v1.Programs/Forgotten") is None
    assert rule_of("/other.v1.Programs/Load") is None
    assert rule_of("/ebpfd_api.v1.Programs/Load") is RULES["Programs/Load"]


def test_only_these_are_for_everybody() -> None:
    """A list to look at twice before it grows."""
    open_to_all = {name for name, rule in RULES.items() if rule is free}
    assert open_to_all == {"Access/WhoAmI", "Hook/Invoke", "Objects/Hold", "Objects/End"}
