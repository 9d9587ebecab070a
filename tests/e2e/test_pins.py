"""Pins, by the SDK and by ebpfctl."""

from pathlib import Path

import pytest

from ebpfd_sdk import EbpfdError, MapType, ObjectType, Program, Result
from tests.e2e.world import PROGRAMS, sample, world

COUNT = str(PROGRAMS / "count.o")
BY_NAME = str(Path(__file__).with_name("programs") / "by_name.o")


async def test_each_type_is_pinned_opened_and_unpinned(tmp_path: Path) -> None:
    """Paths come back in their one form; opening gives the object; a pin is enough to stay."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(COUNT))["count_by_protocol"]
        link = await program.attach("sample_ext")
        table = await w.client.create_map(MapType.HASH, 4, 4, 8, name="table")
        pins = [
            await w.client.pin("/p/program", program),
            await w.client.pin("p/./link", link.id),
            await w.client.pin("/ebpf/global/p/map", table),
            await w.client.pin("/a", table),
        ]
        assert [each.path for each in pins] == [
            "BPF:\\p\\program", "BPF:\\p\\link", "BPF:\\p\\map", "BPF:\\a",
        ]  # fmt: skip
        listed = await w.client.pins()
        assert [(each.path, each.id, each.type, each.name) for each in listed] == [
            ("BPF:\\a", table.id, ObjectType.MAP, "table"),
            ("BPF:\\p\\link", link.id, ObjectType.LINK, "count_by_protocol"),
            ("BPF:\\p\\map", table.id, ObjectType.MAP, "table"),
            ("BPF:\\p\\program", program.id, ObjectType.PROGRAM, "count_by_protocol"),
        ]
        assert await w.client.pins(ObjectType.LINK, ObjectType.PROGRAM) == (listed[1], listed[3])
        assert await w.client.next_pin("/a", ObjectType.MAP) == listed[2]
        assert await w.client.next_pin("/p/program") is None
        opened = await w.client.open("/p/program")
        assert isinstance(opened, Program)
        assert (opened.id, list(opened.maps)) == (program.id, ["by_protocol"])
        assert (await w.client.open_map("a")).pin_paths == ("BPF:\\a", "BPF:\\p\\map")
        assert (await w.client.open_link("/p/link")).id == link.id
        with pytest.raises(EbpfdError, match=r"leads to map .*: it is no program"):
            await w.client.open_program("/a")
        assert (await program.unload()).pins == ("BPF:\\p\\program",)
        assert (await table.remove()).pins == ("BPF:\\a", "BPF:\\p\\map")
        for path in ("/p/map", "/a", "/p/link"):
            await w.client.unpin(path)
        assert [each.id for each in await w.client.links()] == [link.id], "a legacy link"
        await link.detach()
        assert [each.id for each in await w.client.programs()] == [program.id]
        await w.client.unpin("/p/program")
        assert (await w.client.programs(), await w.client.maps()) == ((), ())


async def test_refusals_change_nothing(tmp_path: Path) -> None:
    """Each with its own code, as in eBPF for Windows."""
    async with world(tmp_path) as w:
        table = await w.client.create_map(MapType.HASH, 4, 4, 8)
        await w.client.pin("/taken", table)
        for code, path in (
            (Result.OBJECT_ALREADY_EXISTS, "/taken"),
            (Result.INVALID_ARGUMENT, ""),
            (Result.INVALID_ARGUMENT, "x" * 256),
            (Result.INVALID_ARGUMENT, "C:\\"),
        ):
            with pytest.raises(EbpfdError) as caught:
                await w.client.pin(path, table)
            assert caught.value.code is code
        for call in (w.client.unpin, w.client.open):
            with pytest.raises(EbpfdError) as caught:
                await call("/missing")
            assert caught.value.code is Result.KEY_NOT_FOUND
        for id_, code in ((999, Result.KEY_NOT_FOUND), (1, Result.KEY_NOT_FOUND)):
            with pytest.raises(EbpfdError) as caught:
                await w.client.pin("/new", id_)
            assert caught.value.code is code
        assert [each.path for each in await w.client.pins()] == ["BPF:\\taken"]


async def test_ebpfctl_pins(tmp_path: Path) -> None:
    """What people type: pin add, list and remove; map create and program load with --pin."""
    async with world(tmp_path) as w, sample(w):
        (made,) = await w.ctl_json(
            "map", "create", "hash", "--key", "4", "--value", "4", "--entries", "8",
            "--name", "table", "--pin", "/my/table",
        )  # fmt: skip
        assert (made["pins"], made["owners"]) == (["BPF:\\my\\table"], ["the daemon"])
        (loaded,) = await w.ctl_json("program", "load", COUNT, "--pin", "/my/programs")
        assert loaded["pins"] == ["BPF:\\my\\programs\\count_by_protocol"]
        (attached,) = await w.ctl_json(
            "link", "attach", str(loaded["id"]), "--attach-type", "sample_ext", "--pin", "/my/link"
        )
        assert attached["pins"] == ["BPF:\\my\\link"]
        assert await w.ctl_json("pin", "add", "/also", str(made["id"])) == [
            {"path": "BPF:\\also", "type": "map", "id": made["id"], "name": "table"}
        ]
        listed = await w.ctl_json("pin", "list", "--type", "map", "--type", "link")
        assert [each["path"] for each in listed] == [
            "BPF:\\also", "BPF:\\my\\link", "BPF:\\my\\table",
        ]  # fmt: skip
        again = await w.ctl(
            "-o", "json", "map", "create", "hash", "--key", "4", "--value", "4", "--entries", "8",
            "--pin", "/also",
        )  # fmt: skip
        assert again.error()["name"] == "OBJECT_ALREADY_EXISTS"
        assert len(await w.ctl_json("map", "list")) == 2, "what could not be pinned is not left"
        twice = await w.ctl("-o", "json", "program", "load", COUNT, "--pin", "/my/programs")
        assert twice.error()["name"] == "OBJECT_ALREADY_EXISTS"
        assert len(await w.ctl_json("program", "list")) == 1
        removed = await w.ctl("map", "remove", str(made["id"]))
        assert removed.out == (
            f"map {made['id']} stays until these let it go: pin BPF:\\also, pin BPF:\\my\\table\n"
        )
        assert await w.ctl_json("pin", "remove", "/also") == {"path": "/also"}
        assert (await w.ctl("pin", "remove", "my/table")).out == "my/table is unpinned\n"
        gone = await w.ctl("-o", "json", "map", "show", str(made["id"]))
        assert gone.error()["name"] == "STALE_ID"
        assert await w.ctl_json("owner", "list") == []


async def test_maps_pinned_by_name_are_shared_by_files(tmp_path: Path) -> None:
    """The second load counts on where the first one left off, though that was unloaded."""
    async with world(tmp_path) as w, sample(w):
        for total in (1, 2):
            programs = await w.client.load(BY_NAME)
            assert (await programs["count"].test_run()).result == 42
            counted = await w.client.open_map("/ebpf/global/shared_count")
            assert await counted.get(0) == total.to_bytes(8, "little")
            for each in programs.values():
                await each.unload()
        assert [each.path for each in await w.client.pins()] == [
            "BPF:\\shared_count", "BPF:\\shared_inner", "BPF:\\shared_steps",
        ]  # fmt: skip
        other = await w.client.create_map(MapType.HASH, 4, 4, 8)
        await w.client.unpin("shared_count")
        await w.client.pin("shared_count", other)
        ran = await w.ctl("-o", "json", "program", "load", BY_NAME)
        error = ran.error()
        assert error["name"] == "INVALID_ARGUMENT"
        assert "value_size 4, the file declares 8" in error["message"]
