"""Map types that an extension provides, with real processes."""

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from ebpfd_sdk import Result
from tests.e2e.world import World, script, world

HERE = Path(__file__).parent


def maps(w: World, *flags: str) -> AbstractAsyncContextManager[None]:
    """The extension as its own process."""
    return script(w, HERE / "map_extension.py", str(w.folder / "journal"), *flags)


def journal(w: World) -> list[dict[str, Any]]:
    """What it was asked so far."""
    return [json.loads(line) for line in (w.folder / "journal").read_text().splitlines()]


def asked(w: World) -> list[str]:
    """Which functions it was asked for."""
    return [each["what"] for each in journal(w)]


async def test_a_map_of_an_extensions_type(tmp_path: Path) -> None:
    """Created by name, written, read, listed and removed by ``ebpfctl``."""
    async with world(tmp_path) as w, maps(w):
        create = ("create", "masked", "--key", "4", "--value", "4", "--entries", "2")
        (made,) = await w.ctl_json("map", *create, "--name", "mine")
        assert (made["type"], made["value_size"], made["provider"]) == ("masked", 4, "masked")
        assert made["stored_value_size"] == 8
        id_ = str(made["id"])
        await w.ctl_json("map", "set", id_, "1", "77")
        await w.ctl_json("map", "set", id_, "1", "78")
        await w.ctl_json("map", "set", id_, "2", "99")
        assert (await w.ctl_json("map", "get", id_, "1"))["value_number"] == 78
        dumped = await w.ctl_json("map", "dump", id_)
        assert {each["key_number"]: each["value_number"] for each in dumped} == {1: 78, 2: 99}
        full = await w.ctl("-o", "json", "map", "set", id_, "3", "5")
        assert full.error()["code"] == Result.OUT_OF_SPACE
        await w.ctl_json("map", "delete", id_, "1")
        await w.ctl_json("map", "remove", id_)
        deleted = [
            (each["ticket"], each["operation"]) for each in journal(w) if each["what"] == "delete"
        ]
        assert deleted == [(1, 2), (4, 2), (2, 0), (3, 4)]
        assert asked(w)[-1] == "destroy"
        assert await w.ctl_json("map", "list") == []
