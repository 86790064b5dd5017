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
        started = [(each, self._start(each)) for each in found]  # neither reads what another one writes
        return [self._end(each, name) for each, name in started]

    def _start(self, hello: Hello) -> str | BadInput:
        self.say(f"{hello.of.title} of the tree")
        manifest = copy.deepcopy(dict(hello.manifest))
        if hello.of.kind == "SparkApplication":  # what a local run wraps into a workflow, the operator takes as it is
            manifest = json.loads(manifest["spec"]["templates"][0]["resource"]["manifest"])
        name = f"{hello.name[:50]}-{secrets.token_hex(3)}"
        manifest["metadata"] = {**manifest["metadata"], "name": name}
        manifest["metadata"].pop("generateName", None)
        try:
            self.workflows.create(manifest)
        except BadInput as error:
            return error
        return name

    def _end(self, hello: Hello, started: str | BadInput) -> Run:
        try:
            if isinstance(started, BadInput):
                raise started
            follow = self._application if hello.of.kind == "SparkApplication" else self._workflow
            document = follow(started)
        except BadInput as error:
            document = {"phase": "Error", "message": str(error), "nodes": {}}
        document = {**document, "name": hello.name}
        return Run(play="hello", ds=DAYS[0], name=hello.name, document=document, before={}, after={}, pipeline="flux")

    def _workflow(self, name: str) -> Mapping[str, Any]:
        return document_of(self.workflows.follow(name, patience=PATIENCE))

    def _application(self, name: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = json.loads(self.workflows.kubectl("get", _APPLICATIONS, name, "-n", NAMESPACE, "-o", "json"))
            state = ((found.get("status") or {}).get("applicationState") or {}).get("state", "")
            if state in _TERMINAL:
                message = str((found["status"]["applicationState"]).get("errorMessage") or "")
                return {"phase": _TERMINAL[state], "message": message, "nodes": {}}
            time.sleep(_STEP)
        raise BadInput(f"SparkApplication {name} is {state or 'without a state'} after {PATIENCE:.0f} s")
