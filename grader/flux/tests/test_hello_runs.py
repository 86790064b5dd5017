"""The reference's small workloads really run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.flux import hello_workflows, load
from grader.flux.tests.trees import REFERENCE
from pipelines.local.assembly import assembled
from pipelines.local.engine import WallClock
from pipelines.local.platform import Platform, snapshot
from pipelines.local.state import StateDir


@pytest.mark.slow
def test_the_references_application_completes(tmp_path: Path) -> None:
    """Spark runs the hello job as a SparkApplication, from the tree's own manifest."""
    state = StateDir(root=tmp_path / "state").ensure()
    try:
        with assembled(state, WallClock(), platform=True) as engine:
            hello = hello_workflows(load(REFERENCE), image=snapshot(state).image)[0]
            document = engine.run(hello.manifest, templates=hello.templates, objects=hello.objects).document
    finally:
        Platform(state).stop()
    assert document["phase"] == "Succeeded", document.get("message")
    logs = [path.read_text(errors="replace") for path in state.root.rglob("*.log")]
    assert any("hello from Spark 4.1.4: the numbers below 1000 add up to 499500" in text for text in logs)
