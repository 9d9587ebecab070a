"""A shadow with real processes and the commands that users have."""

import asyncio
from pathlib import Path

from tests.e2e.test_recordings import changed_count
from tests.e2e.world import PROGRAMS, World, sample, world

PACKET = "00" * 12 + "86dd" + "00" * 20


async def compared(w: World, link: str, events: int) -> None:
    """Wait until a shadow has seen so many events: nobody waits for it but we."""
    async with asyncio.timeout(60):
        while (await w.client.shadow(int(link))).events < events:
            pass  # each question is a round trip


async def test_a_shadow_is_set_shown_and_cleared(tmp_path: Path) -> None:
    """The link's own program decides; how the other differs is shown."""
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(PROGRAMS / "count.o")).values()
        link = str((await program.attach("sample_ext")).id)
        (beside,) = (await w.client.load(changed_count(tmp_path))).values()
        shadow = ("link", "shadow")
        refused = await w.ctl("-o", "json", *shadow, "show", link)
        assert refused.error()["name"] == "OBJECT_NOT_FOUND"
        begun = await w.ctl_json(*shadow, "set", link, str(beside.id))
        assert (begun["program"], begun["events"], begun["recent"]) == (beside.id, 0, [])
        fired = await w.ctl_json("hook", "fire", "sample_ext", "--data", PACKET, "--count", "3")
        assert fired["results"] == {"42": 3}
        await w.client.fire("sample_ext")
        await compared(w, link, 4)
        shown = await w.ctl_json(*shadow, "show", link)
        assert (shown["events"], shown["differing"], shown["dropped"]) == (4, 3, 0)
        for event, each in enumerate(shown["recent"], start=1):
            assert (each["event"], each["data"]) == (event, PACKET)
            assert (each["result"], each["shadow_result"]) == (42, 43)
        text = (await w.ctl(*shadow, "clear", link)).out
        assert "differing      3\n" in text
        assert "\n1      0     42      0            43 " in text
        assert (await w.ctl("-o", "json", *shadow, "clear", link)).code == 1
