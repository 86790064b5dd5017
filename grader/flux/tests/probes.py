"""A probe with nothing but a Flux tree and the runs of its small workloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from grader.checks.probe import Run
from grader.flux import hello_workflows, load


@dataclass(kw_only=True)
class FluxProbe:
    """A probe that has a tree and its runs; what a test does not set went right."""

    folder: Path
    documents: Mapping[str, Mapping[str, Any]] | None = None
    days: tuple[date, ...] = field(default=())

    def has(self, need: str) -> bool:
        """A tree is there."""
        return need == "flux"

    def flux(self) -> Path:
        """The tree."""
        return self.folder

    def hello_runs(self) -> list[Run]:
        """What a test gave, or a success of each workload."""
        documents = self.documents
        if documents is None:
            documents = {each.name: succeeded(each.name) for each in hello_workflows(load(self.folder))}
        return [hello_run(name, document) for name, document in documents.items()]


def hello_run(name: str, document: Mapping[str, Any]) -> Run:
    """Make the record of a run."""
    return Run(play="hello", ds=date(2013, 1, 1), name=name, document=document, before={}, after={}, pipeline="hello")


def succeeded(name: str, steps: int = 3) -> dict[str, Any]:
    """Make the document of a run whose steps came one after another."""
    nodes = {
        f"{name}-{index}": {
            "id": f"{name}-{index}", "name": f"{name}.s{index}", "displayName": f"s{index}", "type": "Pod",
            "phase": "Succeeded", "startedAt": f"2013-01-01T00:00:0{index}Z",
            "finishedAt": f"2013-01-01T00:00:0{index}Z",
            "children": [f"{name}-{index + 1}"] if index + 1 < steps else [],
        }
        for index in range(steps)
    }  # fmt: skip
    return {"name": name, "phase": "Succeeded", "nodes": nodes}
