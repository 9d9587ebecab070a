"""What the audit log tells of changes."""

from uuid import UUID

from ebpfd.rpc.changes import CHANGES, NO_CHANGES, registration_facts
from ebpfd_api.npi import HOOK
from ebpfd_api.v1 import hook_pb2, links_pb2, maps_pb2, programs_pb2, registrar_pb2
from tests.daemon.rpc.test_rules import methods
from tests.daemon.rpc.wire import plain


def test_every_method_is_a_change_or_none() -> None:
    """Who adds a method decides whether it is told."""
    assert set(CHANGES) | NO_CHANGES == set(methods())
    assert not NO_CHANGES.intersection(CHANGES)


def test_the_fields_that_are_told_are_there() -> None:
    """In requests and answers, which have a status."""
    found = methods()
    for name, change in CHANGES.items():
        asked, made = found[name].input_type, found[name].output_type
        assert "status" in made.fields_by_name
        for message, paths in (
            (asked, (*change.asked, *filter(None, [change.often]))),
            (made, change.made),
        ):
            for path in paths:
                first, _, second = path.partition(".")
                field = message.fields_by_name[first]
                if second:
                    assert field.message_type is not None
                    assert second in field.message_type.fields_by_name


def test_names_are_told_as_they_were_said() -> None:
    """A GUID as people write it, other bytes in hexadecimal, a policy whole."""
    request = links_pb2.AttachRequest(
        program_id=3, attach_type=hook_pb2.AttachType(guid=HOOK.bytes), parameter=b"\x01\xff"
    )
    request.policy.timeout.result = 1
    response = links_pb2.AttachResponse(link=links_pb2.Link(id=7))
    assert CHANGES["Links/Attach"].facts(request, response) == {
        "program_id": 3,
        "attach_type": str(HOOK),
        "parameter": "01ff",
        "priority": 0,
        "policy": {"timeout": {"result": 1}},
        "link": 7,
    }


def test_all_that_was_made_is_told_by_its_ids() -> None:
    """What was not made is not told."""
    load = CHANGES["Programs/Load"]
    request = programs_pb2.LoadRequest(object=b"ELF", file_name="a.o")
    made = programs_pb2.LoadResponse(
        programs=[programs_pb2.Program(id=1), programs_pb2.Program(id=2)]
    )
    assert load.facts(request, made) == {"file_name": "a.o", "flags": 0, "programs": [1, 2]}
    assert load.facts(request, programs_pb2.LoadResponse()) == {"file_name": "a.o", "flags": 0}
    put = maps_pb2.UpdateRequest(id=4, map_id=5)
    assert CHANGES["Maps/Update"].facts(put, maps_pb2.UpdateResponse()) == {"id": 4, "map_id": 5}


def test_registrations_are_told_as_they_were_asked_for() -> None:
    """Also those that make no sense."""
    module = UUID(int=5)
    instance = plain(HOOK.bytes, module.bytes)
    register = registrar_pb2.Register(role=registrar_pb2.ROLE_PROVIDER, instance=instance)
    told = {"role": "provider", "npi": "hook", "module": str(module)}
    assert registration_facts(register) == told
    nonsense = registrar_pb2.Register(
        instance=registrar_pb2.RegistrationInstance(npi_id=b"\x01", module_id=None)
    )
    assert registration_facts(nonsense) == {"role": None, "npi": "01", "module": None}
