"""Runs workflows of a schedule with the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from pipelines.local.cron.runs import Outcome
from pipelines.local.engine import Engine
from pipelines.local.errors import BadInput
from pipelines.local.manifest import Documents


@runtime_checkable
class CanTerminate(Protocol):
    """Something that can end one of its runs without its exit handlers."""

    def terminate(self, name: str) -> None:
        """End a run at once; nothing if it has ended."""
        ...


class EngineRuns:
    """The `Runs` of a schedule, carried out by the engine with the manifests that were loaded beside it."""

    def __init__(self, engine: Engine, documents: Documents) -> None:
        self._engine = engine
        self._templates = documents.templates
        self._objects = [*documents.configmaps, *documents.secrets]

    def run(self, workflow: Mapping[str, Any], *, name: str, scheduled_time: datetime) -> Outcome:
        """Run a workflow to its end."""
        result = self._engine.run(
            workflow, templates=self._templates, name=name, scheduled_time=scheduled_time, objects=self._objects
        )
        return Outcome(name=name, phase=result.phase, message=str(result.document.get("message") or ""))

    def terminate(self, name: str) -> None:
        """End a run at once.

        Raises:
            BadInput: the engine cannot.
        """
        if not isinstance(self._engine, CanTerminate):
            raise BadInput(
                f"run {name} is active at the schedule's next time, and this machine cannot replace an active run",
                remedy="set concurrencyPolicy to Forbid or Allow",
            )
        self._engine.terminate(name)

    def exists(self, name: str) -> bool:
        """Tell whether there is a run of this name."""
        try:
            self._engine.get(name)
        except BadInput:
            return False
        return True
