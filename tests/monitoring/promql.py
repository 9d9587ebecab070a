"""As much of PromQL as says which metrics and labels an expression names, and which it leaves."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<name>[a-zA-Z_]\w*)
    | "(?P<text>[^"\\]*)"
    | (?P<other>\[[^\]]*\] | \d[\w.]* | =~ | !~ | [=!<>]=? | [-+*/%,(){}])
    )""",
    re.VERBOSE,
)
_GROUPINGS: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_AGGREGATIONS: Final = {"sum", "min", "max", "avg", "count", "topk"}
_WORDS: Final = {"and", "or", "unless", "bool", "offset"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label's value must be."""

    label: str
    operator: str
    value: str

    def alternatives(self) -> tuple[str, ...]:
        """Of a regular expression each part that would do."""
        return tuple(self.value.split("|")) if "~" in self.operator else (self.value,)

    def matches(self, value: str) -> bool:
        """Whether a label with this value is meant."""
        regular = "~" in self.operator
        same = bool(re.fullmatch(self.value, value)) if regular else value == self.value
        return same != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric, and what its labels must be."""

    metric: str
    matchers: tuple[Matcher, ...] = ()


@dataclass(slots=True)
class Expression:
    """What an expression names."""

    selectors: list[Selector] = field(default_factory=list[Selector])
    groupings: list[tuple[str, tuple[str, ...]]] = field(
        default_factory=list[tuple[str, tuple[str, ...]]]
    )

    @property
    def grouping_labels(self) -> set[str]:
        """Labels in ``by (...)`` and the like."""
        return {label for _, labels in self.groupings for label in labels}

    @property
    def kept(self) -> tuple[str, ...] | None:
        """The labels that a result has, which the outermost ``by`` says; None: all that were."""
        return next((labels for word, labels in self.groupings if word == "by"), None)


def parse(text: str) -> Expression:
    """What *text* names; ``ValueError`` for what is not understood here."""
    found, tokens = Expression(), deque(_tokens(text))
    while tokens:
        kind, token = tokens.popleft()
        if kind == "text":
            raise ValueError(f"text outside of braces: {token!r}")
        if kind == "other" or token in _WORDS:
            continue
        follows = tokens[0][1] if tokens else ""
        if token in _GROUPINGS:
            labels = _labels(tokens) if follows == "(" else ()
            found.groupings.append((token, labels))
        elif follows != "(" and token not in _AGGREGATIONS:
            matchers = tuple(_matchers(tokens)) if follows == "{" else ()
            found.selectors.append(Selector(token, matchers))
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, text = 0, text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise ValueError(f"not understood: {text[position:]!r}")
        yield found.lastgroup, found[found.lastgroup]
        position = found.end()


def _labels(tokens: deque[tuple[str, str]]) -> tuple[str, ...]:
    """What stands between parentheses."""
    labels: list[str] = []
    while (token := tokens.popleft())[1] != ")":
        if token[0] == "name":
            labels.append(token[1])
    return tuple(labels)


def _matchers(tokens: deque[tuple[str, str]]) -> Iterator[Matcher]:
    """What stands between braces."""
    tokens.popleft()
    while tokens[0][1] != "}":
        (_, label), (_, operator), (kind, value) = (tokens.popleft() for _ in range(3))
        if kind != "text" or operator not in {"=", "!=", "=~", "!~"}:
            raise ValueError(f"no matcher: {label} {operator} {value}")
        yield Matcher(label, operator, value)
        if tokens[0][1] == ",":
            tokens.popleft()
    tokens.popleft()
