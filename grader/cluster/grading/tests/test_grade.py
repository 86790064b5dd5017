"""Which checks a cluster is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks.catalog import CHECKS, CLUSTER_CHECKS
from grader.cluster.grading.grade import AVAILABLE, NEIGHBOURS, ClusterGrading
from grader.cluster.place import Place
from grader.grading.plays import PLAYS
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


def grading(tmp_path: Path, **how: Any) -> ClusterGrading:
    """Make a grading of a cluster that is not there."""
    place = Place(kind=False, kubeconfig="", push="127.0.0.1:1", pull="127.0.0.1:1")
    return ClusterGrading(state=StateDir(root=tmp_path), place=place, display=None, **how)  # type: ignore[arg-type]


def test_every_item_is_judged(tmp_path: Path) -> None:
    """With one day as with both, and without faults, each item keeps checks, M01 and M04 those of the cluster."""
    for how in ({}, {"days": 1}, {"days": 1, "faults": False}):
        found = grading(tmp_path, **how).checks(())
        assert {check.item for check in found} == {f"M{number:02}" for number in range(1, 11)}
        assert set(CLUSTER_CHECKS) <= set(found)


def test_plays_that_a_cluster_does_not_show_are_left_out(tmp_path: Path) -> None:
    """Those that stop or tap the executor; with one day also what needs a second."""
    both = {check.id for check in grading(tmp_path).checks(())}
    assert {check.id for check in CHECKS} - both == {
        check.id for check in CHECKS if not set(check.needs) <= AVAILABLE
    } == {"M03-announced", "M03-crash", "M07-transient", "M09-blocks"}  # fmt: skip
    one = {check.id for check in grading(tmp_path, days=1).checks(())}
    assert both - one == NEIGHBOURS | {"M03-emptied"}


def test_a_check_that_cannot_be_answered_is_refused(tmp_path: Path) -> None:
    """By its name; the item without it is judged."""
    with pytest.raises(BadInput, match="does not show M03-crash"):
        grading(tmp_path).checks(["M03-crash"])
    with pytest.raises(BadInput, match="there is no item or check M99"):
        grading(tmp_path).checks(["M99"])
    assert {check.id for check in grading(tmp_path).checks(["M03"])} >= {"M03-keys", "M03-same"}


def test_available_names_plays() -> None:
    """What is not a play is the tree or the cluster itself."""
    assert AVAILABLE - set(PLAYS) == {"flux", "cluster"}
