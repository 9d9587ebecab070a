"""The alert rules and the dashboard, as a test looks at them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final = (DEPLOY / "prometheus" / "alerts.yml").read_text()
DASHBOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "ebpfd.json").read_text())

_VARIABLE: Final = re.compile(r"label_values\((.+), (\w+)\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression, where it stands, and which labels of its result are shown to people."""

    where: str
    expression: str
    shown: frozenset[str] = frozenset()


def rules() -> list[dict[str, Any]]:
    """All alert rules."""
    read: Any = yaml.safe_load(ALERTS)
    return [rule for group in read["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """All panels that show something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def all_asked() -> Iterator[Asked]:
    """Every expression of both files."""
    for rule in rules():
        told = " ".join(rule["annotations"].values())
        shown = frozenset(re.findall(r"\$labels\.(\w+)", told))
        yield Asked(rule["alert"], rule["expr"], shown)
    for panel in panels():
        for target in panel["targets"]:
            shown = frozenset(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
            yield Asked(f"{panel['title']} {target['refId']}", target["expr"], shown)
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            found = _VARIABLE.fullmatch(variable["query"])
            assert found, variable["query"]
            yield Asked(f"${variable['name']}", found[1], frozenset({found[2]}))
