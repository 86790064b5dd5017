"""Grading leaves the learner's tables, runs and files as they were."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from grader.fingerprint.digest import Fingerprint
from grader.fingerprint.lake import Lake
from grader.grading.session import grading_state
from grader.submission import reference
from grader.submission.export import export
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
OWN = ("grading", "grades", "logs", "report", "cache")
"""What grading may write under the state directory: its own folders, logs, and what can be made again."""
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: mine}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: busybox, command: [sh, -c], args: ["echo mine"]}
"""


def batchlab(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command as a learner does, in the folder that `work/` is in."""
    return subprocess.run(
        [sys.executable, "-c", "from grader.cli import main; main()", *arguments], cwd=home.parent, text=True,
        env={**os.environ, "BATCHLAB_HOME": str(home), "PYTHONPATH": str(reference().root)},
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Iterator[StateDir]:
    """A learner's state directory with a table, a report, a run, and files in `work/`."""
    state = StateDir(root=tmp_path / "home").ensure()
    platform = Platform(state)
    platform.start(warm=False)
    try:
        lake = Lake.open(state)
        rows = pa.table({"n": pa.array([1, 2, 3], pa.int64())})
        lake.catalog.create_namespace("raw")
        lake.catalog.create_table("raw.flights", rows.schema).append(rows)
        with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
            pg.execute("CREATE SCHEMA IF NOT EXISTS reporting")
            pg.execute("CREATE TABLE reporting.carrier_daily AS SELECT DATE '2013-03-09' AS flight_date, 1 AS n")
        export(reference(), tmp_path / "work")
        (tmp_path / "work" / "notes.md").write_text("mine")
        (tmp_path / "mine.yaml").write_text(WORKFLOW)
        assert batchlab(state.root, "run", "mine.yaml").returncode == 0
        yield state
    finally:
        Platform(grading_state(state)).stop()
        platform.stop()


def tables(state: StateDir) -> dict[str, Fingerprint]:
    """Fingerprint what the learner has; the platform is started for it, and stopped."""
    try:
        lake = Lake.open(state, cached=False)
        return {name: lake.fingerprint(name) for name in ("lake.raw.flights", "reporting.carrier_daily")}
    finally:
        Platform(state).stop()


def files(root: Path) -> dict[str, str]:
    """Hash every file of a folder."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def mine(found: dict[str, str]) -> dict[str, str]:
    """Leave out what grading may write."""
    return {name: one for name, one in found.items() if not name.startswith(tuple(f"home/{own}/" for own in OWN))}


def test_grading_changes_nothing_of_the_learner(home: StateDir) -> None:
    """Tables have the same content, and every file but those of grading is the same, to the byte."""
    folder = home.root.parent
    content, before = tables(home), files(folder)
    assert any(name.startswith("home/warehouse/") for name in before)
    assert "home/runs.db" in before
    assert any(name.startswith("home/steps/mine/") for name in before)
    assert "work/notes.md" in before
    done = batchlab(home.root, "grade", "M05-conditions", "--json")
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert verdict["submission"] == str(folder / "work")
    assert {name: item["outcome"] for name, item in verdict["items"].items()} == {"M05": "pass"}
    after = files(folder)
    assert mine(after) == mine(before)
    assert not [name for name in before if name not in after]
    assert (home.root / "grading").is_dir()
    assert tables(home) == content
