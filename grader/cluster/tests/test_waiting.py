"""What Flux waits for is said with the reason: conditions, pods, images that cannot be pulled."""

from __future__ import annotations

from typing import Any

import pytest

from grader.cluster import waiting
from grader.cluster.commands import Kubectl
from grader.cluster.waiting import pod_troubles, state_of


def flux(kind: str, name: str, ready: str, *, generation: int = 1, seen: int = 1, **spec: Any) -> dict[str, Any]:
    """Make one of Flux's objects."""
    condition = {"type": "Ready", "status": ready, "reason": "HealthCheckFailed", "message": "timeout\nwaiting for x"}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "flux-system", "generation": generation},
        "spec": spec,
        "status": {"observedGeneration": seen, "conditions": [condition]},
    }


def pod(**status: Any) -> dict[str, Any]:
    """Make a pod."""
    return {"metadata": {"namespace": "platform", "name": "store-0"}, "status": status}


def test_states_are_those_of_the_current_generation() -> None:
    """What was Ready before the last push is not Ready now; a registry of charts has no state at all."""
    assert state_of(flux("Kustomization", "apps", "True")).ready
    assert not state_of(flux("Kustomization", "apps", "True", generation=2)).ready
    found = state_of(flux("Kustomization", "apps", "False"))
    assert (found.reason, found.message) == ("HealthCheckFailed", "timeout waiting for x")
    assert state_of(flux("HelmRepository", "c", "Unknown", type="oci")).ready
    empty = {"kind": "Kustomization", "metadata": {"name": "a", "namespace": "b", "generation": 1}, "spec": {}}
    assert state_of(empty).reason == "not looked at yet"


def test_what_is_of_an_older_push_is_waited_for() -> None:
    """Ready as another artifact is not Ready; a failure on the way to this one is told."""
    done = flux("Kustomization", "apps", "True")
    done["status"]["lastAppliedRevision"] = "local@sha256:old"
    assert state_of(done, "sha256:old").ready
    assert state_of(done, "sha256:new") == waiting.State(
        title="Kustomization flux-system/apps", ready=False, reason="Older", message="has not seen this push yet"
    )
    failed = flux("Kustomization", "apps", "False")
    assert "HealthCheckFailed: timeout" in state_of(failed, "sha256:new").message
    source = flux("OCIRepository", "cluster", "True")
    source["status"]["artifact"] = {"revision": "local@sha256:new"}
    assert state_of(source, "sha256:new").ready


def test_pods_say_why_they_do_not_run() -> None:
    """Not scheduled, an image that is not there, a crash with its exit code; what is well says nothing."""
    waits = {"name": "s3", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not  found"}}}
    crash = {
        "name": "s3", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 3}},
    }  # fmt: skip
    unready = {"name": "s3", "state": {"running": {}}, "ready": False, "restartCount": 2}
    unscheduled = {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}
    pods = [
        pod(phase="Pending", containerStatuses=[waits]),
        pod(phase="Running", initContainerStatuses=[crash]),
        pod(phase="Running", containerStatuses=[unready]),
        pod(phase="Pending", conditions=[unscheduled]),
        pod(phase="Pending", containerStatuses=[{"name": "x", "state": {"waiting": {"reason": "ContainerCreating"}}}]),
        pod(phase="Succeeded", containerStatuses=[crash]),
    ]
    assert list(pod_troubles(pods)) == [
        "platform/store-0: s3: ImagePullBackOff not found",
        "platform/store-0: s3: CrashLoopBackOff (it ended with 3)",
        "platform/store-0: s3: runs, is not ready, and was restarted 2 times",
        "platform/store-0: not scheduled: Insufficient cpu",
    ]


def test_waiting_ends_when_all_is_ready_or_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change is told once; what is left at the end is returned; objects that are not there yet are waited for."""
    rounds = [
        [],
        [flux("Kustomization", name, "False") for name in waiting.LAYERS],
        [flux("Kustomization", name, "True") for name in waiting.LAYERS],
    ]
    monkeypatch.setattr(waiting, "_STEP", 0)
    answers = iter(rounds)
    monkeypatch.setattr(Kubectl, "items", lambda *_: next(answers))
    told: list[str] = []
    assert waiting.wait(Kubectl(), told.append, patience=60) == []
    assert len(told) == 2 * len(waiting.LAYERS)
    monkeypatch.setattr(Kubectl, "items", lambda *_: rounds[1])
    left = waiting.wait(Kubectl(), told.append, patience=-1)
    assert [each.title for each in left][-1] == "Kustomization flux-system/apps"
    monkeypatch.setattr(Kubectl, "items", lambda *_: [])
    assert waiting.wait(Kubectl(), told.append, patience=-1)[0].reason == "Incomplete"
