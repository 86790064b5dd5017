"""Cases on the local engine, with a stand-in for the Spark Operator that plays the states a manifest asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipelines.local.conformance.cases import Case
from pipelines.local.conformance.cluster import STATES, application_status
from pipelines.local.engine import Engine, StepPlace, VirtualClock
from pipelines.local.state import StateDir

_BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=timezone.utc)


def run_locally(case: Case, folder: Path) -> Mapping[str, Any]:
    """Run a case on a virtual clock, in a state directory of its own below `folder`; its document."""
    documents = case.documents()
    templates = {d["metadata"]["name"]: d for d in documents if d["kind"] == "WorkflowTemplate"}
    objects = [d for d in documents if d["kind"] in {"ConfigMap", "Secret"}]
    engine = Engine(
        StateDir(root=folder / case.name), clock=VirtualClock(_BEGIN), operators={"SparkApplication": StatesOperator()}
    )
    try:
        result = engine.run(case.workflow(), templates=templates, objects=objects)
    finally:
        engine.close()
    return result.document


class StatesOperator:
    """Shows the states that an application's annotation lists, one after the other."""

    def check(self, manifest: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """Accept every application, as the cluster without a webhook does."""
        return []

    def start(self, app: Mapping[str, Any], place: StepPlace) -> _States:
        """Begin with no state."""
        listed = (app["metadata"].get("annotations") or {}).get(STATES, "")
        return _States([state.strip() for state in listed.split(",") if state.strip()], place.wake)


class _States:
    _LASTS = 0.05  # seconds

    def __init__(self, states: Sequence[str], wake: Callable[[], None]) -> None:
        self._shown: dict[str, Any] = {}
        self._stopped = threading.Event()
        threading.Thread(target=self._play, args=(states, wake), daemon=True).start()

    def _play(self, states: Sequence[str], wake: Callable[[], None]) -> None:
        for state in states:
            if self._stopped.wait(self._LASTS):
                return
            self._shown = application_status(state)
            wake()

    def status(self) -> Mapping[str, Any]:
        """Show the present state."""
        return self._shown

    def stop(self) -> None:
        """Show nothing new."""
        self._stopped.set()
