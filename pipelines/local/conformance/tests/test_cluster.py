"""The recordings are still what a real controller answers: telling cases, run again on the cluster of KUBECONFIG."""

from __future__ import annotations

import time

import pytest

from pipelines.local.conformance.cases import Case, own_cases
from pipelines.local.conformance.cluster import Cluster
from pipelines.local.conformance.compare import comparable, differences, normalize

TELLING = (
    "dag-omitted-chain",
    "depends-results",
    "exit-handler-failure",
    "loop-param",
    "outputs-path",
    "result-trimming",
    "retry-succeeds",
    "script-failure",
    "when-forms",
)
PATIENCE = 420.0  # seconds for all of them together; a step takes a real controller some ten
ENDED = {"Succeeded", "Failed", "Error"}


@pytest.mark.cluster
@pytest.mark.timeout(600)
def test_the_controller_answers_as_recorded() -> None:
    """Nodes, phases, messages, outputs and attempts of fresh runs are those of the goldens."""
    cluster, cases = Cluster(), {case.name: case for case in own_cases() if case.name in TELLING}
    assert set(cases) == set(TELLING)
    for case in cases.values():
        assert cluster.submit(case) == ""
    deadline, running = time.monotonic() + PATIENCE, set(cases)
    problems: list[str] = []
    while running and time.monotonic() < deadline:
        phases = cluster.phases()
        for name in [name for name in running if phases.get(name) in ENDED]:
            running.remove(name)
            problems += [f"{name}: {line}" for line in _differences(cluster, cases[name])]
            cluster.delete(name)
        time.sleep(1)  # between looks at the cluster, not for it: the deadline above decides
    assert problems == []
    assert running == set(), "still running at the deadline"


def _differences(cluster: Cluster, case: Case) -> list[str]:
    fresh = normalize(cluster.workflow(case.name).get("status") or {})
    return differences(comparable(case.recorded(), case.settings), comparable(fresh, case.settings))
