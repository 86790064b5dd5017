"""A Flux tree's own small workloads, run by the cluster's controllers."""

from __future__ import annotations

import copy
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.checks.probe import Run
from grader.cluster.grading.live import document_of
from grader.cluster.workflows import NAMESPACE, Workflows
from grader.flux.tree import load
from grader.flux.workloads import Hello, hello_workflows
from grader.grading.plays import DAYS
from grader.submission import Submission
from pipelines.local.errors import BadInput

PATIENCE = 600.0
_TERMINAL = {"COMPLETED": "Succeeded", "FAILED": "Failed"}
_APPLICATIONS = "sparkapplications.sparkoperator.k8s.io"
_STEP = 3.0


@dataclass(frozen=True, kw_only=True)
class ClusterGreeter:
    """Runs the small workloads of a submission's tree.

    Args:
        workflows: of the cluster.
        submission: whose tree.
        image: what its images of the repository `batchlab/work` stand for.
        say: told what runs.
    """

    workflows: Workflows
    submission: Submission
    image: str
    say: Callable[[str], None]

    def runs(self) -> list[Run]:
        """Run them; none where the tree cannot be built, which the checks that look at it will say."""
        try:
            found = hello_workflows(load(self.submission.flux), image=self.image)
        except BadInput:
            return []
        return [self._run(each) for each in found]

    def _run(self, hello: Hello) -> Run:
        self.say(f"{hello.of.title} of the tree")
        try:
            document = self._application(hello) if hello.of.kind == "SparkApplication" else self._workflow(hello)
        except BadInput as error:
            document = {"phase": "Error", "message": str(error), "nodes": {}}
        document = {**document, "name": hello.name}
        return Run(play="hello", ds=DAYS[0], name=hello.name, document=document, before={}, after={}, pipeline="flux")

    def _workflow(self, hello: Hello) -> Mapping[str, Any]:
        manifest = copy.deepcopy(dict(hello.manifest))
        manifest["metadata"] = {**manifest["metadata"], "name": _new(hello.name)}
        self.workflows.create(manifest)
        return document_of(self.workflows.follow(manifest["metadata"]["name"], patience=PATIENCE))

    def _application(self, hello: Hello) -> Mapping[str, Any]:
        """Create the application itself: what a local run wraps into a workflow, the operator takes as it is."""
        body = json.loads(hello.manifest["spec"]["templates"][0]["resource"]["manifest"])
        name = _new(hello.name)
        made = {**body, "metadata": {**body["metadata"], "name": name}}
        made["metadata"].pop("generateName", None)
        self.workflows.create(made)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = json.loads(self.workflows.kubectl("get", _APPLICATIONS, name, "-n", NAMESPACE, "-o", "json"))
            state = ((found.get("status") or {}).get("applicationState") or {}).get("state", "")
            if state in _TERMINAL:
                message = str((found["status"]["applicationState"]).get("errorMessage") or "")
                return {"phase": _TERMINAL[state], "message": message, "nodes": {}}
            time.sleep(_STEP)
        raise BadInput(f"SparkApplication {name} is {state or 'without a state'} after {PATIENCE:.0f} s")


def _new(name: str) -> str:
    return f"{name[:50]}-{secrets.token_hex(3)}"
