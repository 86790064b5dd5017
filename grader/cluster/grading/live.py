"""What the API server knows of a run: its nodes, the SparkApplications that it made, and what its pods printed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.checks.probe import SparkRun
from grader.cluster.commands import Kubectl
from grader.cluster.workflows import NAMESPACE
from pipelines.local.errors import BadInput
from pipelines.local.manifest import Documents, from_text

Json = Mapping[str, Any]
KINDS = {"WorkflowTemplate": "workflowtemplates.argoproj.io", "CronWorkflow": "cronworkflows.argoproj.io"}
_KEPT = ("name", "labels", "annotations")
_OF_TOOLS = ("kubectl.kubernetes.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/", "meta.helm.sh/")
_CREATED = re.compile(r"sparkapplications?(?:\.sparkoperator\.k8s\.io)?/([a-z0-9][a-z0-9.-]*)", re.IGNORECASE)


def documents(kubectl: Kubectl, wanted: Documents) -> Documents:
    """Read the WorkflowTemplates and CronWorkflows of a submission as they are on the cluster.

    Raises:
        BadInput: one of them is not there.
    """
    found = []
    for kind, plural in KINDS.items():
        there = {each["metadata"]["name"]: each for each in kubectl.items(plural, "-n", NAMESPACE)}
        for one in wanted.of(kind):
            if one.name not in there:
                raise BadInput(
                    f"the cluster has no {kind} {one.name}", where=f"namespace {NAMESPACE}",
                    remedy="`batchlab cluster status` says what Flux waits for",
                )  # fmt: skip
            found.append(plain(there[one.name]))
    return from_text("---\n".join(json.dumps(one) + "\n" for one in found), "the cluster")


def plain(live: Json) -> dict[str, Any]:
    """Give a live object as its manifest had it: without what the API server and the tools of Flux add."""
    metadata = {name: live["metadata"][name] for name in _KEPT if live["metadata"].get(name)}
    for name in ("labels", "annotations"):
        if name in metadata:
            metadata[name] = {key: one for key, one in metadata[name].items() if not key.startswith(_OF_TOOLS)}
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata, "spec": live["spec"]}


def document_of(workflow: Json) -> dict[str, Any]:
    """Give a live Workflow as `batchlab run --json` prints a run, and who it is: its uid and its template."""
    return {
        **(workflow.get("status") or {}),
        "name": workflow["metadata"]["name"],
        "uid": workflow["metadata"]["uid"],
        "template": ((workflow.get("spec") or {}).get("workflowTemplateRef") or {}).get("name") or "",
    }


def pod_name(document: Json, node: Json) -> str:
    """Name the pod of a node, as Argo does since pods are named after their template too."""
    ident = str(node["id"])
    template = str((node.get("templateRef") or {}).get("template") or node.get("templateName") or "")
    run = str(document["name"])
    if ident == run or not template:
        return ident
    return f"{f'{run}-{template}'[: 253 - 11]}-{ident.rpartition('-')[2]}"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a run left that goes when its pods do.

    Args:
        logs: what each node's pod printed, and the driver of its application, by the node's id.
        applications: the SparkApplications that it created.
    """

    logs: Mapping[str, str]
    applications: Sequence[SparkRun]


def collect(kubectl: Kubectl, workflow: Json) -> Left:
    """Read the logs and applications of a run that has ended."""
    document = document_of(workflow)
    applications = {
        each["metadata"]["name"]: each
        for each in kubectl.items("sparkapplications.sparkoperator.k8s.io", "-n", NAMESPACE)
    }
    logs, made = {}, []
    for node in (document.get("nodes") or {}).values():
        if node.get("type") != "Pod":
            continue
        text = log(kubectl, pod_name(document, node), "main")
        names = dict.fromkeys(name for name in _CREATED.findall(text) if name in applications)
        for name in names:
            status = applications[name].get("status") or {}
            made.append(SparkRun(workflow=str(document["name"]), node=str(node["id"]), name=name, status=status))
            text += log(kubectl, str((status.get("driverInfo") or {}).get("podName") or ""), "spark-kubernetes-driver")
        logs[str(node["id"])] = text
    return Left(logs=logs, applications=made)


def log(kubectl: Kubectl, pod: str, container: str) -> str:
    """Give what a container printed; empty where it is gone."""
    return kubectl("logs", "-n", NAMESPACE, pod, "-c", container, check=False, patience=60) if pod else ""
