"""Workflows on a cluster: started from their templates, followed to their end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.cluster.commands import Kubectl
from pipelines.local.errors import BadInput

NAMESPACE = "batch"
ENDED = frozenset({"Succeeded", "Failed", "Error"})
_STEP = 3.0


@dataclass(frozen=True, kw_only=True)
class Workflows:
    """The workflows of the namespace `batch`."""

    kubectl: Kubectl

    def start(self, template: str, parameters: Mapping[str, str]) -> str:
        """Create a Workflow of a WorkflowTemplate; returns its name."""
        given = [{"name": name, "value": value} for name, value in parameters.items()]
        document = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": f"{template}-"},
            "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": given}},
        }
        return self.create(document)

    def create(self, manifest: Mapping[str, Any]) -> str:
        """Create an object in the namespace; returns its name.

        Raises:
            BadInput: the API server refuses it; the message says why.
        """
        made = self.kubectl("create", "-n", NAMESPACE, "-f", "-", "-o", "json", given=json.dumps(manifest))
        return str(json.loads(made)["metadata"]["name"])

    def terminate(self, name: str) -> None:
        """End a workflow: its pods are killed, no exit handler runs."""
        change = json.dumps({"spec": {"shutdown": "Terminate"}})
        self.kubectl("patch", "workflow.argoproj.io", name, "-n", NAMESPACE, "--type=merge", f"--patch={change}")

    def get(self, name: str) -> dict[str, Any]:
        """Read a Workflow with its `status.nodes`.

        Raises:
            BadInput: there is none of that name.
        """
        found = json.loads(self.kubectl("get", "workflow.argoproj.io", name, "-n", NAMESPACE, "-o", "json"))
        return dict(found)

    def follow(self, name: str, *, patience: float) -> dict[str, Any]:
        """Wait until it ends; returns it.

        Raises:
            BadInput: it still runs when time is up; the message has what its nodes do.
        """
        deadline = time.monotonic() + patience
        while True:
            found = self.get(name)
            status = found.get("status") or {}
            if status.get("phase") in ENDED:
                return found
            if time.monotonic() > deadline:
                raise BadInput(
                    f"still {status.get('phase', 'Pending')} after {patience:.0f} s: {told(found)}", where=name
                )
            time.sleep(_STEP)


def told(workflow: Mapping[str, Any]) -> str:
    """Say in one line what the leaves of a workflow did."""
    nodes = (workflow.get("status") or {}).get("nodes") or {}
    leaves = [each for each in nodes.values() if each["type"] == "Pod"]
    leaves.sort(key=lambda each: str(each.get("startedAt")))
    return "; ".join(
        f"{each['displayName']} {each['phase']}" + (f" ({each['message']})" if each.get("message") else "")
        for each in leaves
    )
