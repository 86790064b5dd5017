"""Whether an object that a resource template creates has a name of its own in each run and each attempt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TAG = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_GIVEN = re.compile(r"\b(?:inputs|workflow)\.parameters\.(?P<name>[\w-]+)")
_RANDOM = r"pod\.name|sprig\.(?:rand|uuid)|\bnow\(\)"
_BY_RUN = re.compile(rf"{_RANDOM}|workflow\.(?:name|uid|creationTimestamp)|node\.name|\.outputs\.")
_BY_ATTEMPT = re.compile(rf"{_RANDOM}|\bretries\b|\blastRetry\b|\.outputs\.")
_ROUNDS = 4
"""How often a parameter may be given by a parameter."""


def same_for(name: str, document: Mapping[str, Any], *, retried: bool) -> str:
    """Say for what a name stays the same: `every run`, `every attempt`, or nothing.

    Parameters count as everything that any template, step or task of the document gives them: where one of them tells
    runs apart, so does the name.

    Args:
        name: `metadata.name` of the object, with its tags.
        document: the WorkflowTemplate.
        retried: whether the step has a retry strategy.
    """
    tags = " ".join(_TAG.findall(name))
    given = dict(_parameters(document))
    for _ in range(_ROUNDS):
        tags += " " + " ".join(given.get(one, "") for one in dict.fromkeys(_GIVEN.findall(tags)))
    if not _BY_RUN.search(tags):
        return "every run"
    if retried and not _BY_ATTEMPT.search(tags):
        return "every attempt"
    return ""


def _parameters(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give, for each name of a parameter, all values that it is given anywhere."""
    found: dict[str, list[str]] = {}
    queue: list[Any] = [document]
    while queue:
        part = queue.pop()
        if isinstance(part, list):
            queue += part
        elif isinstance(part, dict):
            for one in part.get("parameters") or []:
                if isinstance(one, dict) and "name" in one:
                    found.setdefault(str(one["name"]), []).append(str(one.get("value", "")))
            queue += part.values()
    return ((name, " ".join(values)) for name, values in found.items())
