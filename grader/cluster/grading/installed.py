"""What Flux installed, as the cluster has it now: its objects, the operators' types and controllers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.checks.probe import Installed
from grader.cluster.commands import Kubectl
from grader.cluster.waiting import KINDS, state_of

_OWNERS = {"helm.toolkit.fluxcd.io": "HelmRelease", "kustomize.toolkit.fluxcd.io": "Kustomization"}


def installed(kubectl: Kubectl) -> list[Installed]:
    """List Flux's objects, the CustomResourceDefinitions, and the Deployments with who brought them."""
    found = []
    for each in kubectl.items(KINDS, "--all-namespaces"):
        state = state_of(each)
        found.append(_of(each, ready=state.ready, message=f"{state.reason}: {state.message}"))
    found += [
        _of(each, ready=_condition(each, "Established"), message="Established")
        for each in kubectl.items("customresourcedefinitions")
    ]
    return found + [_deployment(each) for each in kubectl.items("deployments", "--all-namespaces")]


def _deployment(each: Mapping[str, Any]) -> Installed:
    status = each.get("status") or {}
    wanted, there = each["spec"].get("replicas", 1), status.get("availableReplicas", 0)
    current = status.get("observedGeneration", -1) == each["metadata"].get("generation")
    message = f"{there} of {wanted} available"
    return _of(each, ready=current and there >= wanted > 0, message=message, images=_images(each))


def _of(each: Mapping[str, Any], *, ready: bool, message: str, images: tuple[str, ...] = ()) -> Installed:
    metadata = each["metadata"]
    return Installed(
        kind=str(each["kind"]), namespace=str(metadata.get("namespace") or ""), name=str(metadata["name"]), ready=ready,
        message=message, images=images, by=next(_owners(metadata.get("labels") or {}), ""),
    )  # fmt: skip


def _owners(labels: Mapping[str, str]) -> Iterator[str]:
    for group, kind in _OWNERS.items():
        if f"{group}/name" in labels:
            yield f"{kind} {labels.get(f'{group}/namespace', '')}/{labels[f'{group}/name']}"


def _condition(each: Mapping[str, Any], name: str) -> bool:
    conditions = (each.get("status") or {}).get("conditions") or []
    return any(one["type"] == name and one["status"] == "True" for one in conditions)


def _images(deployment: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one["image"]) for one in deployment["spec"]["template"]["spec"]["containers"])
