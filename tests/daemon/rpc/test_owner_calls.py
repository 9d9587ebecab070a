"""Owners, ids and pins over the wire: what the SDK would not ask."""

from pathlib import Path

from ebpfd_api.metadata import OWNER
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2, objects_pb2, objects_pb2_grpc, pins_pb2, pins_pb2_grpc
from tests.daemon.host.world import until
from tests.daemon.rpc.wire import serving

HASH = maps_pb2.CreateRequest(type=1, key_size=4, value_size=4, max_entries=8)
NONE = [objects_pb2.OBJECT_TYPE_UNSPECIFIED]


async def test_an_unknown_token_is_refused(tmp_path: Path) -> None:
    """INVALID_STATE, as of one that has ended; nothing is made."""
    async with serving(tmp_path) as w:
        made = await w.maps.Create(HASH, metadata=((OWNER, "nobody"),))
        assert (made.status.code, made.map.id) == (Result.INVALID_STATE, 0)
        objects = objects_pb2_grpc.ObjectsStub(w.channel)
        ended = await objects.End(objects_pb2.EndRequest(), metadata=((OWNER, "nobody"),))
        assert ended.status.code == Result.INVALID_STATE
        assert (await objects.End(objects_pb2.EndRequest())).status.code == Result.SUCCESS
        assert list(w.daemon.objects.maps()) == []


async def test_an_owner_ends_with_its_stream(tmp_path: Path) -> None:
    """Whoever else still uses its token is told."""
    async with serving(tmp_path) as w:
        objects = objects_pb2_grpc.ObjectsStub(w.channel)
        call = objects.Hold(objects_pb2.HoldRequest(name="mine"))
        reply = await call.read()
        assert isinstance(reply, objects_pb2.HoldResponse)
        metadata = ((OWNER, reply.token),)
        made = await w.maps.Create(HASH, metadata=metadata)
        assert list(made.map.owners) == ["mine"]
        listed = await objects.ListOwners(objects_pb2.ListOwnersRequest())
        assert [(each.name, list(each.ids)) for each in listed.owners] == [("mine", [made.map.id])]
        call.cancel()
        await until(lambda: list(w.daemon.objects.maps()) == [])
        again = await w.maps.Create(HASH, metadata=metadata)
        assert again.status.code == Result.INVALID_STATE
        shown = await w.maps.Get(maps_pb2.MapsGetRequest(id=made.map.id))
        assert shown.status.code == Result.STALE_ID


async def test_a_daemon_that_stops_ends_its_owners(tmp_path: Path) -> None:
    """It does not wait for clients that hold."""
    async with serving(tmp_path) as w:
        call = objects_pb2_grpc.ObjectsStub(w.channel).Hold(objects_pb2.HoldRequest())
        assert isinstance(await call.read(), objects_pb2.HoldResponse)
        await w.maps.Create(HASH)
        await w.stop()
        assert list(w.daemon.objects.maps()) == []


async def test_unknown_types_of_objects_are_refused(tmp_path: Path) -> None:
    """By name of the field, with those that are possible."""
    async with serving(tmp_path) as w:
        objects = objects_pb2_grpc.ObjectsStub(w.channel)
        pins = pins_pb2_grpc.PinsStub(w.channel)
        answers = [
            (await objects.NextId(objects_pb2.NextIdRequest())).status,
            (await pins.List(pins_pb2.PinsListRequest(types=NONE))).status,
            (await pins.Next(pins_pb2.PinsNextRequest(types=NONE))).status,
        ]  # fmt: skip
        assert {each.code for each in answers} == {Result.INVALID_ARGUMENT}
        assert answers[0].message == "type is 0: program (1), map (2) and link (3) are possible"


async def test_a_pin_without_an_owner_is_nobodys_reference_when_opened(tmp_path: Path) -> None:
    """Looking costs nothing: the daemon would keep it for ever."""
    async with serving(tmp_path) as w:
        pins = pins_pb2_grpc.PinsStub(w.channel)
        made = (await w.maps.Create(HASH)).map
        await pins.Pin(pins_pb2.PinRequest(path="/a", id=made.id))
        await w.maps.Remove(maps_pb2.RemoveRequest(id=made.id))
        opened = await pins.Open(pins_pb2.OpenRequest(path="/a"))
        assert (opened.map.id, list(opened.map.owners)) == (made.id, [])
        await pins.Unpin(pins_pb2.UnpinRequest(path="/a"))
        assert list(w.daemon.objects.maps()) == []
