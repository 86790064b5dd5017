"""What Flux does when somebody changes the cluster, and when a push is bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from grader.cluster import deploy
from grader.cluster.commands import Kubectl
from grader.cluster.place import Place, load
from grader.cluster.tests.until import until
from grader.cluster.waiting import flux_states, look, wait
from grader.cluster.workflows import told
from pipelines.local.state import StateDir

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]


@pytest.fixture
def place(kubectl: Kubectl) -> Place:
    """Give this checkout's cluster."""
    assert kubectl
    return load(StateDir.locate())


def get(kubectl: Kubectl, *words: str) -> Callable[[], Any]:
    """Read an object when asked; None where there is none."""

    def read() -> Any:
        text = kubectl("get", *words, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    return read


def test_what_was_changed_is_put_back(kubectl: Kubectl) -> None:
    """A template that was deleted, and rights that were widened, are as in the tree after Flux has looked."""
    template = get(kubectl, "workflowtemplate.argoproj.io", "publish", "-n", "batch")
    role = get(kubectl, "role", "workflow", "-n", "batch")
    rules = role()["rules"]
    kubectl("delete", "workflowtemplate.argoproj.io", "publish", "-n", "batch")
    wide = [{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}}]
    kubectl("patch", "role", "workflow", "-n", "batch", "--type=json", f"--patch={json.dumps(wide)}")
    assert template() is None
    assert role()["rules"] != rules
    look(kubectl, "infra-configs", "apps")
    until("the template was not made again", lambda: template() is not None)
    until("the rights were not put back", lambda: role()["rules"] == rules)


def test_a_bad_push_says_so_and_the_old_state_keeps_running(
    kubectl: Kubectl, place: Place, request: pytest.FixtureRequest
) -> None:
    """An image that is not there fails the health check, a day runs all the while, the next push mends it."""
    settings = get(kubectl, "configmap", "settings", "-n", "flux-system")()["data"]
    catalog = get(kubectl, "deployment", "catalog", "-n", "platform")
    try:
        bad = deploy.push_tree(place, {**settings, "catalogImage": "batchlab/catalog:none"})

        def failed() -> bool:
            states = {each.title: each for each in flux_states(kubectl, bad.digest)}
            layer = states["Kustomization flux-system/platform"]
            assert catalog()["status"].get("availableReplicas") == 1
            return "HealthCheckFailed" in f"{layer.reason} {layer.message}" and "catalog" in layer.message

        ran = request.getfixturevalue("ran")  # the schedule's day, which most other tests look at, too
        assert ran["status"]["phase"] == "Succeeded", told(ran)
        until("the health check did not fail", failed)
        pods = kubectl.items("pods", "-n", "platform", "-l", "app.kubernetes.io/name=catalog")
        images = {pod["spec"]["containers"][0]["image"]: pod["status"]["phase"] for pod in pods}
        assert images[settings["catalogImage"]] == "Running"
        assert images["batchlab/catalog:none"] == "Pending"
    finally:
        good = deploy.push_tree(place, settings)
    assert wait(kubectl, print, patience=300, digest=good.digest) == []
