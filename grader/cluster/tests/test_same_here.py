"""The same manifests on the cluster and here: the same nodes, and the same rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.cluster.grading.site import site
from grader.cluster.parity import compare, compare_tables
from grader.cluster.place import load
from grader.cluster.tests.daily import day_of
from grader.cluster.tree import CLUSTER
from grader.cluster.workflows import Workflows
from grader.fingerprint.lake import Lake
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
SOLUTIONS = CLUSTER.parent / "solutions"
Batchlab = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state directory of its own."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture(scope="module")
def batchlab(home: Path) -> Iterator[Batchlab]:
    """Run commands in it, and end its platform afterwards."""

    def call(*words: str | Path) -> str:
        program = Path(sys.executable).parent / "batchlab"
        done = subprocess.run(
            [program, *words],
            env={**os.environ, "BATCHLAB_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield call
    call("platform", "stop")


@pytest.fixture(scope="module")
def of_labs(workflows: Workflows) -> dict[Path, str]:
    """Start every Workflow that learners get as a file of its own; gives their names on the cluster."""
    files = [file for file in sorted(SOLUTIONS.glob("*/files/*.yaml")) if _is_workflow(file)]
    return {file: workflows.create(yaml.safe_load(file.read_text())) for file in files}


@pytest.mark.usefixtures("of_labs")  # they run there while the day runs here
def test_a_day_has_the_same_nodes_and_rows(ran: dict[str, Any], batchlab: Batchlab, home: Path) -> None:
    """The whole chain of pipelines, for the day that the schedule ran on the cluster."""
    day = day_of(ran)
    batchlab("data", "load")
    local = json.loads(batchlab("run", CLUSTER / "apps", "--name", "daily", "-p", f"ds={day}", "--json"))
    assert compare(ran, local) == []
    state = StateDir.locate()
    with site(load(state), state) as there:
        here = Lake.open(StateDir(root=home))
        assert compare_tables(there.lake, here, day) == []
        here.con.close()


def test_the_smallest_workflow_has_the_same_nodes(workflows: Workflows, batchlab: Batchlab) -> None:
    """The workflow that Flux applied, and what it printed."""
    there = workflows.follow("hello", patience=300)
    local = json.loads(batchlab("run", CLUSTER / "apps" / "hello" / "workflow.yaml", "--json"))
    assert compare(there, local) == []


def test_the_workflows_of_the_labs_have_the_same_nodes(
    of_labs: dict[Path, str], workflows: Workflows, batchlab: Batchlab
) -> None:
    """Scripts, a graph, a Spark step, two retries."""
    assert len(of_labs) >= 4
    for file, name in of_labs.items():
        there = workflows.follow(name, patience=600)
        local = json.loads(batchlab("run", file, "--virtual-time", "--json"))
        assert compare(there, local) == [], file


def _is_workflow(file: Path) -> bool:
    return bool(yaml.safe_load(file.read_text())["kind"] == "Workflow")
