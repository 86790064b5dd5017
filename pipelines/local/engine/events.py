"""What the engine tells while it runs, for a live display or a log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened.

    `kind` is `run` (a run started, changed phase or ended), `node` (a node appeared or changed) or `notice` (a text for
    the person who looks on). `node` is the node as Argo's JSON. `at` is the run's own time.
    """

    kind: str
    run: str
    at: datetime
    phase: str = ""
    message: str = ""
    node: Mapping[str, Any] | None = None


Listener = Callable[[Event], None]
