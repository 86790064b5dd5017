"""Take a cluster away, or from an existing one what `up` put there."""

from __future__ import annotations

from collections.abc import Callable

from grader.cluster import kind
from grader.cluster.commands import Kubectl, run
from grader.cluster.place import Place, path
from grader.cluster.waiting import LAYERS
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

Say = Callable[[str], None]
NAMESPACE = "flux-system"


def losses(place: Place) -> list[str]:
    """Say what would be lost; one line where the cluster does not answer."""
    kubectl = place.kubectl
    try:
        kubectl.reachable()
    except BadInput as error:
        return [f"whatever is on it: {error.what}"]
    found = []
    for each in kubectl.items("persistentvolumeclaims", "-n", "platform"):
        size = each["spec"]["resources"]["requests"]["storage"]
        found.append(f"volume {each['metadata']['name']} ({size}): {_holds(each['metadata']['name'])}")
    runs = len(kubectl.items("workflows.argoproj.io", "-n", "batch"))
    if runs:
        found.append(f"{runs} workflow runs and their logs")
    return found


def _holds(claim: str) -> str:
    contents = {
        "store": "every table", "postgres": "the catalog, source data and reports", "webhook": "deliveries",
        "lineage": "lineage events",
    }  # fmt: skip
    return next((what for name, what in contents.items() if name in claim), "data")


def remove(state: StateDir, place: Place, say: Say) -> None:
    """Take away what `up` made; returns when it is gone."""
    if place.kind:
        say("deleting the cluster and its registry")
        kind.remove()
    else:
        _uninstall(place, say)
    path(state).unlink(missing_ok=True)


def _uninstall(place: Place, say: Say) -> None:
    """Delete the layers, the last first; Flux deletes what each of them applied."""
    kubectl = place.kubectl
    kubectl.reachable()
    suspend = '{"spec": {"suspend": true}}'
    kubectl("patch", _layer("cluster"), "-n", NAMESPACE, "--type=merge", "-p", suspend, check=False)
    for name in reversed(LAYERS[1:]):
        say(f"deleting {name}")
        kubectl("delete", _layer(name), "-n", NAMESPACE, "--ignore-not-found", "--timeout=300s", patience=330)
    kubectl(
        "patch", _layer("cluster"), "-n", NAMESPACE, "--type=merge", "-p", '{"spec": {"prune": false}}', check=False
    )
    kubectl("delete", _layer("cluster"), "-n", NAMESPACE, "--ignore-not-found", "--timeout=60s")
    kubectl(
        "delete",
        "ocirepository.source.toolkit.fluxcd.io/cluster",
        "configmap/settings",
        "-n",
        NAMESPACE,
        "--ignore-not-found",
    )
    for name in ("batch", "platform", "argo", "spark-operator"):
        kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=180s", patience=200)
    crds = _types(kubectl)
    if crds:
        say("deleting Argo's and the operator's resource types")
        kubectl("delete", *crds, "--ignore-not-found", "--timeout=120s")
    if place.flux:
        say("uninstalling Flux")
        run(["flux", "uninstall", "--silent"], env=kubectl.environment)


def _types(kubectl: Kubectl) -> list[str]:
    listed = kubectl("get", "crd", "-o", "name").split()
    return [name for name in listed if name.endswith((".argoproj.io", ".sparkoperator.k8s.io"))]


def _layer(name: str) -> str:
    return f"kustomization.kustomize.toolkit.fluxcd.io/{name}"
