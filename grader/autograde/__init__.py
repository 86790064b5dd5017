"""Autograde mode: grading code that nobody vouches for, in a box that it cannot leave."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.autograde.inner import isolation
    from grader.autograde.limits import Limits
    from grader.autograde.machine import can_isolate
    from grader.autograde.verdict import CouldNotRun, grade

__all__ = ["CouldNotRun", "Limits", "can_isolate", "grade", "isolation"]
_WHERE = {
    "CouldNotRun": "verdict",
    "Limits": "limits",
    "can_isolate": "machine",
    "grade": "verdict",
    "isolation": "inner",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: the process that builds a box imports as little as it can."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
