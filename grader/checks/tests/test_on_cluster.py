"""What only a cluster can answer, over a platform of a test's making."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from grader.checks.catalog import CHECKS, CLUSTER_CHECKS
from grader.checks.probe import Installed
from grader.checks.runner import run
from grader.checks.tests.world import World

TYPES = (
    "sparkapplications.sparkoperator.k8s.io", "scheduledsparkapplications.sparkoperator.k8s.io",
    "workflows.argoproj.io", "workflowtemplates.argoproj.io", "cronworkflows.argoproj.io",
)  # fmt: skip
OPERATOR = "HelmRelease spark-operator/spark-operator"
ARGO = "Kustomization argo/argo-workflows"
PLATFORM = (
    *(Installed(kind="CustomResourceDefinition", namespace="", name=name, ready=True) for name in TYPES),
    Installed(kind="HelmRelease", namespace="spark-operator", name="spark-operator", ready=True),
    Installed(kind="Kustomization", namespace="argo", name="argo-workflows", ready=True),
    Installed(
        kind="Deployment", namespace="spark-operator", name="spark-operator-controller", ready=True, by=OPERATOR,
        images=("ghcr.io/kubeflow/spark-operator/controller:2.4.0",),
    ),
    Installed(
        kind="Deployment", namespace="argo", name="workflow-controller", ready=True, by=ARGO,
        images=("quay.io/argoproj/workflow-controller:v3.7.6",),
    ),
)  # fmt: skip


def judged(world: World, platform: Sequence[Installed]) -> dict[str, tuple[str, str]]:
    """Give outcome and sentence of both checks."""
    world.platform_objects = list(platform)
    world.broken["cluster"] = []
    return {one.check.id: (one.outcome, one.rationale) for one in run(CLUSTER_CHECKS, world)}


def test_a_ready_platform_passes(world: World) -> None:
    """Flux's objects, types and controllers are all there."""
    assert {outcome for outcome, _ in judged(world, PLATFORM).values()} == {"pass"}


@pytest.mark.parametrize(
    ("title", "change", "check", "said"),
    [
        (OPERATOR, {"ready": False, "message": "InstallFailed: no chart"}, "M01-ready", "InstallFailed: no chart"),
        (ARGO, {"ready": False, "message": "HealthCheckFailed"}, "M04-ready", "HealthCheckFailed"),
        ("Deployment argo/workflow-controller", {"ready": False, "message": "0 of 1"}, "M04-ready", "0 of 1"),
        ("Deployment argo/workflow-controller", {"by": ""}, "M04-ready", "nobody of Flux's objects"),
        ("Deployment argo/workflow-controller", {"images": ("busybox",)}, "M04-ready", "no Deployment runs"),
        (f"CustomResourceDefinition {TYPES[0]}", {"ready": False}, "M01-ready", TYPES[0]),
        (f"CustomResourceDefinition {TYPES[4]}", {"name": "others.example"}, "M04-ready", "does not know"),
        (OPERATOR, {"name": "other"}, "M01-ready", "which is not there"),
    ],
)
def test_what_is_not_ready_is_named(world: World, title: str, change: dict[str, object], check: str, said: str) -> None:
    """One part that is not as it should be fails its item, and not the other."""
    found = judged(world, [replace(one, **change) if one.title == title else one for one in PLATFORM])  # type: ignore[arg-type]
    assert found[check][0] == "fail"
    assert said in found[check][1]
    assert [outcome for name, (outcome, _) in found.items() if name != check] == ["pass"]


def test_ids_are_unique() -> None:
    """A cluster judges both lists together."""
    names = [check.id for check in (*CHECKS, *CLUSTER_CHECKS)]
    assert len(names) == len(set(names))
    assert all(len(check.hints) == 3 for check in CLUSTER_CHECKS)
