"""A client that holds objects, says as JSON which, and waits to be killed or told to leave."""

import asyncio
import json
import sys
from pathlib import Path

from ebpfd_sdk import Client, MapType


async def hold(address: str, object_file: str) -> None:
    """Make one of everything that is the owner's alone, pinned, opened, or the daemon's."""
    async with Client(address, hold=True, name="holder") as mine, Client(address) as plain:
        array = await mine.create_map(MapType.PROG_ARRAY, 4, 4, 2, name="array")
        owned = (await mine.load(object_file))["count_by_protocol"]
        pinned = (await mine.load(object_file))["count_by_protocol"]
        legacy = (await mine.load(object_file))["count_by_protocol"]
        inside = (await mine.load(object_file))["count_by_protocol"]
        await array.set_program(0, inside)
        link = await owned.attach("sample_ext", parameter=b"\1")
        pinned_link = await pinned.attach("sample_ext", parameter=b"\2")
        await mine.pin("/holder/link", pinned_link)
        legacy_link = await (await plain.program(legacy.id)).attach("sample_ext", parameter=b"\3")
        kept = await mine.create_map(MapType.HASH, 4, 4, 8, name="kept")
        await mine.pin("/holder/map", kept)
        scratch = await mine.create_map(MapType.HASH, 4, 4, 8, name="scratch")
        ids = {
            "array": array.id,
            "owned": owned.id,
            "pinned": pinned.id,
            "legacy": legacy.id,
            "inside": inside.id,
            "link": link.id,
            "pinned_link": pinned_link.id,
            "legacy_link": legacy_link.id,
            "kept": kept.id,
            "scratch": scratch.id,
        }
        sys.stdout.write(json.dumps(ids) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)


asyncio.run(hold(sys.argv[1], str(Path(sys.argv[2]))))
