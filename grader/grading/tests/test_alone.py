"""A check that is graded by itself, as a cell of a lab does, passes where its whole item would."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.checks.catalog import CHECKS
from grader.checks.model import Check
from grader.grading.plays import PLAYS
from grader.submission.folder import ROOT
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

BATCHLAB = ROOT / ".venv" / "bin" / "batchlab"
PLAIN = [check for check in CHECKS if "cluster" not in check.needs and not any(
    need in PLAYS and PLAYS[need].fault for need in check.needs)]  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory of its own, so that a check finds the plays that it asks for and no others."""
    made = tmp_path_factory.mktemp("alone")
    yield made
    for state in (made, made / "grading"):
        Platform(StateDir(root=state)).stop()


@pytest.mark.parametrize("check", PLAIN, ids=lambda check: check.id)
def test_a_check_alone_passes_the_reference(check: Check, home: Path) -> None:
    """Without the plays that only other checks of the item need."""
    name = check.id
    done = subprocess.run(
        [BATCHLAB, "grade", name, "--reference", "--json"], env={**os.environ, "BATCHLAB_HOME": str(home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (item,) = (one for one in json.loads(done.stdout)["items"].values() if name in {c["id"] for c in one["checks"]})
    (found,) = (one for one in item["checks"] if one["id"] == name)
    assert found["outcome"] == "pass", found
