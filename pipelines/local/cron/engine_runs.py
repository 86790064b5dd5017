"""Runs workflows of a schedule with the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.local.cron.runs import Outcome
from pipelines.local.engine import Engine
from pipelines.local.errors import BadInput
from pipelines.local.manifest import Documents


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
        """End a run at once."""
        self._engine.terminate(name)

    def exists(self, name: str) -> bool:
        """Tell whether there is a run of this name."""
        try:
            self._engine.get(name)
        except BadInput:
            return False
        return True
