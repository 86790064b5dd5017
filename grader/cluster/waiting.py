"""What Flux waits for, and why: conditions of its objects, pods that do not come up, the cluster's warnings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from grader.cluster.commands import Kubectl

KINDS = ",".join(
    f"{name}.{group}"
    for name, group in (
        ("ocirepositories", "source.toolkit.fluxcd.io"),
        ("helmrepositories", "source.toolkit.fluxcd.io"),
        ("helmcharts", "source.toolkit.fluxcd.io"),
        ("helmreleases", "helm.toolkit.fluxcd.io"),
        ("kustomizations", "kustomize.toolkit.fluxcd.io"),
    )
)
NAMESPACES = ("flux-system", "argo", "spark-operator", "platform", "batch")
LAYERS = ("cluster", "infra-controllers", "infra-configs", "platform", "apps")
_STEP = 3.0
_RECENT = 12
_HARMLESS = frozenset({"ContainerCreating", "PodInitializing", "Completed"})


@dataclass(frozen=True, kw_only=True)
class State:
    """One of Flux's objects.

    Args:
        title: kind and name.
        ready: whether it is what its manifest says.
        reason: why not, in a word.
        message: why not, in a sentence.
    """

    title: str
    ready: bool
    reason: str
    message: str


def flux_states(kubectl: Kubectl, digest: str = "") -> list[State]:
    """Give all of Flux's objects, sources first; with a digest, the tree is Ready only as that artifact."""
    order = ["OCIRepository", "HelmRepository", "HelmChart", "HelmRelease", "Kustomization"]
    found = kubectl.items(KINDS, "--all-namespaces")
    found.sort(key=lambda each: (order.index(each["kind"]), _layer(each["metadata"]["name"]), each["metadata"]["name"]))
    return [state_of(each, digest) for each in found]


def state_of(each: Mapping[str, Any], digest: str = "") -> State:
    """Read the conditions of one object; what is of an older generation, or of an older push, does not count."""
    status = each.get("status") or {}
    if _of_tree(each) and digest not in _revision(each):
        title = f"{each['kind']} {each['metadata']['namespace']}/{each['metadata']['name']}"
        return State(title=title, ready=False, reason="Older", message=_failure(status) or "has not seen this push yet")
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    ready = conditions.get("Ready") or {}
    current = status.get("observedGeneration", -1) == each["metadata"].get("generation")
    no_artifact = each["kind"] == "HelmRepository" and each["spec"].get("type") == "oci"
    return State(
        title=f"{each['kind']} {each['metadata']['namespace']}/{each['metadata']['name']}",
        ready=no_artifact or (ready.get("status") == "True" and current),
        reason=str(ready.get("reason") or "not looked at yet"),
        message=" ".join(str(ready.get("message") or "").split())[:400],
    )


def pod_troubles(pods: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say of each pod that is not well why: what its containers wait for, how they ended, why it is not scheduled."""
    for pod in pods:
        status = pod.get("status") or {}
        if status.get("phase") == "Succeeded":
            continue
        title = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for condition in status.get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                yield f"{title}: not scheduled: {condition.get('message', '')}"
        for one in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") and waiting["reason"] not in _HARMLESS:
                last = ((one.get("lastState") or {}).get("terminated") or {}).get("exitCode")
                ended = f" (it ended with {last})" if last is not None else ""
                text = " ".join(str(waiting.get("message") or "").split())[:300]
                yield f"{title}: {one['name']}: {waiting['reason']}{ended} {text}".rstrip()
            elif "running" in (one.get("state") or {}) and not one.get("ready") and one.get("restartCount", 0):
                yield f"{title}: {one['name']}: runs, is not ready, and was restarted {one['restartCount']} times"


def troubles(kubectl: Kubectl) -> list[str]:
    """Say what is wrong with the pods, and what the cluster warned of lately."""
    pods = [each for name in NAMESPACES for each in kubectl.items("pods", "-n", name)]
    found = list(pod_troubles(pods))
    warnings = [
        each for name in NAMESPACES for each in kubectl.items("events", "-n", name, "--field-selector=type=Warning")
    ]
    warnings.sort(key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))
    for each in warnings[-_RECENT:]:
        about = each.get("involvedObject") or {}
        text = " ".join(str(each.get("message") or "").split())[:240]
        found.append(
            f"{about.get('kind')} {about.get('namespace', '')}/{about.get('name')}: {each.get('reason')}: {text}"
        )
    return list(dict.fromkeys(found))


def wait(
    kubectl: Kubectl,
    say: Callable[[str], None],
    *,
    patience: float,
    digest: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> list[State]:
    """Wait until everything is Ready, and tell every change; returns what is not when time is up.

    Args:
        kubectl: which cluster.
        say: told each change.
        patience: seconds.
        digest: of the artifact that was pushed; what Flux made of an older one does not count.
        clock: seconds.
    """
    deadline = clock() + patience
    told: dict[str, str] = {}
    while True:
        states = flux_states(kubectl, digest)
        for each in states:
            text = "Ready" if each.ready else f"{each.reason}: {each.message}"
            if told.get(each.title) != text:
                told[each.title] = text
                say(f"{each.title}: {text}")
        left = [each for each in states if not each.ready]
        for each in left:
            if "dependency" in each.message:  # Flux would look again in half a minute
                look(kubectl, each.title.rpartition("/")[2])
        complete = {f"Kustomization flux-system/{name}" for name in LAYERS} <= {each.title for each in states}
        if complete and not left:
            return []
        if clock() > deadline:
            return left or [
                State(title="Flux", ready=False, reason="Incomplete", message="not every Kustomization is there")
            ]
        time.sleep(_STEP)


def look(kubectl: Kubectl, *layers: str) -> None:
    """Ask Flux to reconcile some layers now."""
    now = f"reconcile.fluxcd.io/requestedAt={datetime.now(timezone.utc).isoformat()}"
    for name in layers:
        one = f"kustomization.kustomize.toolkit.fluxcd.io/{name}"
        kubectl("annotate", "--overwrite", "-n", "flux-system", one, now, check=False)


def _of_tree(each: Mapping[str, Any]) -> bool:
    namespace, name = str(each["metadata"]["namespace"]), str(each["metadata"]["name"])
    return namespace == "flux-system" and (str(each["kind"]) == "Kustomization" or name == "cluster")


def _revision(each: Mapping[str, Any]) -> str:
    status = each.get("status") or {}
    found = (status.get("artifact") or {}).get("revision") if each["kind"] == "OCIRepository" else None
    return str(found or status.get("lastAppliedRevision") or "")


def _failure(status: Mapping[str, Any]) -> str:
    """Say what Flux said last, where that is a failure."""
    for one in status.get("conditions") or []:
        if one["type"] == "Ready" and one["status"] != "True":
            return f"{one.get('reason')}: {' '.join(str(one.get('message') or '').split())[:400]}"
    return ""


def _layer(name: str) -> int:
    return LAYERS.index(name) if name in LAYERS else len(LAYERS)
