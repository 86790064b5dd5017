"""An engine on a folder of its own, and short ways to write workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.local.engine import Engine, RunResult, VirtualClock
from pipelines.local.state import StateDir

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A state directory that does not exist yet."""
    return StateDir(root=tmp_path / "state")


@pytest.fixture
def engine(state: StateDir) -> Iterator[Engine]:
    """An engine on a virtual clock."""
    with closing(Engine(state, VirtualClock(BEGIN))) as made:
        yield made


@pytest.fixture
def run(engine: Engine) -> Callable[..., RunResult]:
    """Run templates given in YAML; the first one is the entrypoint."""

    def go(templates: str, *, name: str = "w", **keywords: Any) -> RunResult:
        return engine.run(workflow(templates, name), **keywords)

    return go


def workflow(templates: str, name: str = "w", **spec: Any) -> dict[str, Any]:
    """Make a workflow of templates given in YAML."""
    listed = yaml.safe_load(templates)
    return {
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": listed[0]["name"], "templates": listed, **spec},
    }


def node(result: RunResult, name: str) -> dict[str, Any]:
    """Return a node of a run by its name."""
    return next(found for found in result.document["nodes"].values() if found["name"] == name)
