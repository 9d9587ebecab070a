"""The newcomer's first command."""

import re

from tests.e2e.world import command


async def test_the_demo_counts_what_it_shows() -> None:
    """Every packet is one invocation, one run and one count; each refusal fits one screen."""
    ran = await command("ebpfd", "demo", "--packets", "500")
    assert ran.code == 0, ran.err
    assert "500 packets through the hook" in ran.out
    assert "500 invocations in" in ran.out
    verdicts = re.findall(r"verdict .+: (\d+)", ran.out)
    assert sum(map(int, verdicts)) == 500
    assert "null_map_value.c:17" in ran.out
    assert "check first: if (data + 9 > data_end) return 0;" in ran.out
    assert "unknown helper 131071" in ran.out
    refusals = ran.out.split("refused, as it must be:")[1:]
    assert len(refusals) == 3
    assert all(len(each.splitlines()) <= 40 for each in refusals)
    assert "0 links are left; the program ran 500 times" in ran.out
