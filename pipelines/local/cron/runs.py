"""The seam between schedules and whatever runs a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: its phase is Succeeded, Failed or Error."""

    name: str
    phase: str
    message: str = ""


class Runs(Protocol):
    """Runs workflows. `run` blocks until its workflow has ended; several threads may call it at once."""

    def run(self, workflow: Mapping[str, Any], *, name: str, scheduled_time: datetime) -> Outcome:
        """Run a workflow manifest to its end, under this name."""
        ...

    def terminate(self, name: str) -> None:
        """End a run at once, without its exit handlers; nothing if it has ended."""
        ...

    def exists(self, name: str) -> bool:
        """Tell whether there is a run of this name already."""
        ...
