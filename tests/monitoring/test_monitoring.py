"""Alert rules and dashboard name what a daemon shows, and commands that there are."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ebpfd.cli.control import main
from ebpfd_sdk import Result
from tests.e2e.net import net
from tests.e2e.test_metrics import page_text
from tests.e2e.world import PATIENCE_S, PROGRAMS, SAMPLE
from tests.monitoring.files import DASHBOARD, DEPLOY, Asked, all_asked, panels, rules
from tests.monitoring.promql import Matcher, Selector, parse
from tests.packets import UDP

LOOP: Final = Path(__file__).parents[1] / "e2e" / "programs" / "long_loop.o"

OF_PROMETHEUS: Final = {"up", "scrape_duration_seconds"}
"""Metrics that it makes for every target."""

LOOKED_FOR: Final = {"ebpfd_tls_certificate_expiry_seconds", "ebpfd_state_free_bytes"}
"""Metrics of what the daemon looks at by itself, and so is not there at once."""

OF_TARGETS: Final = {"job", "instance"}
"""Labels that it adds to what a target shows."""

Samples = dict[str, list[dict[str, str]]]
"""The labels of each sample of a page, by its metric."""


async def shown(folder: Path) -> Samples:
    """What a daemon shows that has something of everything."""
    page = folder / "metrics.sock"
    config = folder / "ebpfd.toml"
    config.write_text(f'[[extension]]\nname = "sample"\nmodule = "{SAMPLE}"\n')
    async with (
        asyncio.timeout(PATIENCE_S),
        net(folder, "--metrics", f"unix:{page}", "--config", str(config)) as n,
    ):
        client = n.world.client
        for file, parameter, code in (
            (PROGRAMS / "count.o", b"", Result.SUCCESS),
            (LOOP, b"loop", Result.TIMEOUT),
        ):
            (program,) = (await client.load(file)).values()
            await program.attach("sample_ext", parameter=parameter)
            answer = await client.fire("sample_ext", data=UDP, parameter=parameter)
            assert answer.code is code
        samples: Samples = defaultdict(list)
        while not samples.keys() >= LOOKED_FOR:
            samples.clear()
            for family in text_string_to_metric_families(await page_text(page)):
                for each in family.samples:
                    samples[each.name].append(dict(each.labels))
        return samples


async def test_what_is_asked_for_is_on_the_page(tmp_path: Path) -> None:
    """Each metric, each label, each value of one; and what is told is left of the answer."""
    samples = await shown(tmp_path)
    wrong = [f"{each.where}: {what}" for each in all_asked() for what in missing(each, samples)]
    assert not wrong, "\n".join(wrong)


def missing(asked: Asked, samples: Samples) -> list[str]:
    """What an expression names that is not there."""
    found, there, wrong = parse(asked.expression), set(OF_TARGETS), list[str]()
    for selector in found.selectors:
        if selector.metric in OF_PROMETHEUS:
            wrong += (m.label for m in selector.matchers if m.label not in OF_TARGETS)
        elif not (those := samples.get(selector.metric)):
            wrong.append(f"no metric {selector.metric}")
        else:
            there.update(*those)
            wrong += unmatched(selector, those)
    if not found.selectors:
        wrong.append("no metric at all")
    wrong += (f"no label {label}" for label in found.grouping_labels - there)
    left = there if found.kept is None else set(found.kept)
    wrong += (f"{label} is told, but not left" for label in asked.shown - left)
    return wrong


def unmatched(selector: Selector, those: list[dict[str, str]]) -> list[str]:
    """Labels that a metric has not, and values that none of its labels has."""
    wrong: list[str] = []
    for matcher in selector.matchers:
        values = {labels[matcher.label] for labels in those if matcher.label in labels}
        if matcher.label in OF_TARGETS:
            continue
        if not values:
            wrong.append(f"{selector.metric} has no label {matcher.label}")
        elif not matcher.value.startswith("$"):
            wrong += (
                f"no {matcher.label} of {selector.metric} is {value}"
                for value in matcher.alternatives()
                if not any(Matcher(matcher.label, "=~", value).matches(each) for each in values)
            )
    return wrong


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("sum(nothing)", "no metric nothing"),
        ('up{link="1"}', "link"),
        ('a{b="x"}', "a has no label b"),
        ('a{state=~"good|odd"}', "no state of a is odd"),
        ("sum by (b) (a)", "no label b"),
        ("1", "no metric at all"),
        ("sum by (state) (a)", "job is told, but not left"),
    ],
)
def test_what_is_not_there_is_found(expression: str, told: str) -> None:
    """Else the test before would say nothing."""
    asked = Asked("here", expression, frozenset({"job"}) if "left" in told else frozenset())
    assert told in missing(asked, {"a": [{"state": "good"}, {"state": "bad"}]})


def test_every_rule_tells_what_to_do() -> None:
    """How bad it is, what it is, where, and what to do next, in a sentence."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Ebpfd[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0m"))
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert "{{ $labels.instance }}" in rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
        named = re.findall(r"Ebpfd\w+", rule["annotations"]["description"])
        assert set(named) <= set(names)
        assert named or "`" in rule["annotations"]["description"]


def test_every_command_that_is_named_is_one() -> None:
    """With its options."""
    lines = [line for rule in rules() for line in commands(rule["annotations"]["description"])]
    assert len(lines) > len(rules())
    for line in lines:
        here: click.Command = main
        words = line.split()[1:]
        while words and isinstance(here, click.Group) and not words[0].startswith("-"):
            here = here.commands[words.pop(0)]
        options = {name for each in here.params for name in each.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def commands(told: str) -> list[str]:
    """The calls of ``ebpfctl`` in a text, without where the daemon is."""
    return [
        line.replace("--address tls:HOST:PORT ", "")
        for line in re.findall(r"`(ebpfctl .+?)`", told)
    ]


def test_every_panel_says_what_it_shows() -> None:
    """Under a name of its own, in a unit, at a place of its own, from the chosen source."""
    assert DASHBOARD["schemaVersion"] >= 39
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    everything: list[dict[str, Any]] = DASHBOARD["panels"]
    of: list[Callable[[dict[str, Any]], Any]] = [
        lambda each: each["id"],
        lambda each: each["title"],
    ]
    for what in of:
        assert len({what(each) for each in everything}) == len(everything)
    taken = [place for each in everything for place in places(each["gridPos"])]
    assert len(set(taken)) == len(taken)
    for panel in panels():
        assert panel["title"]
        assert panel["datasource"] == source
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [each["refId"] for each in panel["targets"]] == list(
            "ABCDE"[: len(panel["targets"])]
        )
        assert all(each["expr"] for each in panel["targets"])


def places(grid: dict[str, int]) -> list[tuple[int, int]]:
    """The cells that a panel takes."""
    assert grid["x"] + grid["w"] <= 24
    across = range(grid["x"], grid["x"] + grid["w"])
    return [(x, y) for x in across for y in range(grid["y"], grid["y"] + grid["h"])]


def test_the_readme_scrapes_under_the_name_that_rules_ask_for() -> None:
    """And lets Prometheus read the file of the rules; it links to both files."""
    readme = (DEPLOY / "README.md").read_text()
    found = re.search(r"<!-- prometheus.yml -->\n```yaml\n(.*?)```", readme, re.DOTALL)
    assert found
    (job,) = re.findall(r"job_name: (\w+)", found[1])
    assert re.findall(r"rule_files:\n  - (\S+)", found[1]) == ["alerts.yml"]
    selectors = [each for rule in rules() for each in parse(rule["expr"]).selectors]
    asked = {m.value for each in selectors for m in each.matchers if m.label == "job"}
    assert asked == {job}
    for selector in selectors:
        if not selector.metric.startswith("ebpfd_"):
            assert "job" in {each.label for each in selector.matchers}, "every target has it"
    for file in ("prometheus/alerts.yml", "grafana/ebpfd.json"):
        assert f"]({file})" in readme
