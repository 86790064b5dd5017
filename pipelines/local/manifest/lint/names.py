"""Rules for names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_FIELD = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
_TAG = re.compile(r"\{\{[-a-zA-Z0-9]+(\.[-a-zA-Z0-9_]+)*\}\}")
_MAX_FIELD = 128


def is_tag(text: str) -> bool:
    """Tell whether a text contains a simple tag."""
    return bool(_TAG.search(text))


def field_name_problem(name: str) -> str:
    """Say what is wrong with the name of a template, step or task; empty if nothing."""
    found = []
    if len(name.encode()) > _MAX_FIELD:
        found.append(f"must be no more than {_MAX_FIELD} bytes")
    if not _FIELD.fullmatch(name):
        found.append(
            "name must consist of alpha-numeric characters or '-', and must start with an alpha-numeric character "
            "(e.g. My-name1-2, 123-NAME)"
        )
    return ";".join(found)


def parameter_name_problem(name: str) -> str:
    """Say what is wrong with the name of a parameter or artifact; empty if nothing."""
    if _PARAMETER.fullmatch(name):
        return ""
    return "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' e.g. my_param_1, MY-PARAM-1"


def name_problems(items: Sequence[Any], *, of_parameters: bool) -> list[tuple[int, str]]:
    """List what is wrong with the names in a list: (index, `[0].name is required`)."""
    found: list[tuple[int, str]] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name") or ""
        if not name:
            found.append((index, f"[{index}].name is required"))
            continue
        problem = parameter_name_problem(name) if of_parameters else field_name_problem(name)
        if problem:
            found.append((index, f"[{index}].name: '{name}' is invalid: {problem}"))
        elif name in seen:
            found.append((index, f"[{index}].name '{name}' is not unique"))
        seen.add(name)
    return found
