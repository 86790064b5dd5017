"""The recording cluster through kubectl: workflows in, objects out, and a stand-in for the Spark Operator."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.local.conformance.cases import Case

NAMESPACE = "default"
STATES = "conformance/states"
_CRON_STATUS = ("phase", "succeeded", "failed", "conditions", "lastScheduledTime")
_LINT_PREFIX = re.compile(r'^\S+: in ".*?" \(\w+\): |^Error: failed to parse YAML from file \S+: ')


class Cluster:
    """One namespace of a cluster that runs Argo's controller (see `images/install`)."""

    def submit(self, case: Case) -> str:
        """Create the case's workflow and what it needs; why the API server refused it, or nothing."""
        self.delete(case.name, wait=True)
        self._forget_applications(case.name)
        for document in case.others():
            self._kubectl("apply", "-f", "-", given=with_texts(document))
        if case.settings.get("memoize"):
            self._kubectl("delete", "configmap", "-l", "workflows.argoproj.io/configmap-type=Cache")
        # kubectl, not the argo command, which refuses here what the controller has an answer to
        done = self._kubectl("create", "-f", "-", given=with_texts(case.workflow()), check=False)
        return "" if done.returncode == 0 else done.stderr.strip()

    def _forget_applications(self, prefix: str) -> None:
        listed = self._kubectl("get", "sparkapplications", "-o", "name").stdout.split()
        left = [name for name in listed if name.partition("/")[2].startswith(prefix)]
        if left:
            self._kubectl("delete", *left)

    def phases(self) -> dict[str, str]:
        """Phase by workflow name."""
        template = '{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'
        listed = self._kubectl("get", "workflows", "-o", f"jsonpath={template}").stdout
        return dict(line.split("\t", 1) for line in listed.splitlines() if "\t" in line)

    def workflow(self, name: str) -> dict[str, Any]:
        """The whole object."""
        found: dict[str, Any] = json.loads(self._kubectl("get", "workflow", name, "-o", "json").stdout)
        return found

    def delete(self, name: str, *, wait: bool = False) -> None:
        """Remove a workflow and its pods."""
        self._kubectl("delete", "workflow", name, "--ignore-not-found", f"--wait={str(wait).lower()}")

    def act(self, case: Case, phase: str) -> None:
        """Do what the case's `patch` says once its workflow runs: `{when: NODE DISPLAY NAME, spec: {…}}`."""
        patch = case.settings.get("patch")
        if not patch or phase != "Running":
            return
        nodes = (self.workflow(case.name).get("status") or {}).get("nodes") or {}
        if any(n["displayName"] == patch["when"] and n["phase"] == "Running" for n in nodes.values()):
            body = json.dumps({"spec": patch["spec"]})
            self._kubectl("patch", "workflow", case.name, "--type=merge", "-p", body)

    def play_operator(self) -> None:
        """Move every SparkApplication on to the next of the states that its annotation lists."""
        listed = json.loads(self._kubectl("get", "sparkapplications", "-o", "json").stdout)
        for app in listed["items"]:
            states = [s.strip() for s in (app["metadata"].get("annotations") or {}).get(STATES, "").split(",")]
            state = ((app.get("status") or {}).get("applicationState") or {}).get("state", "")
            coming = states[states.index(state) + 1 :] if state in states else states
            if coming and coming[0]:
                status = application_status(coming[0])
                body = json.dumps({"status": status})
                name = app["metadata"]["name"]
                self._kubectl("patch", "sparkapplication", name, "--subresource=status", "--type=merge", "-p", body)

    def apply(self, path: Path) -> None:
        """Create the objects of a file."""
        self._kubectl("apply", "-f", str(path))

    def remove(self, path: Path) -> None:
        """Remove the objects of a file."""
        self._kubectl("delete", "-f", str(path), "--ignore-not-found")

    def suspend_cron(self, name: str) -> None:
        """Let a CronWorkflow start nothing more."""
        self._kubectl("patch", "cronworkflow", name, "--type=merge", "-p", '{"spec": {"suspend": true}}')

    def cron_answer(self, name: str) -> dict[str, Any]:
        """What a CronWorkflow has started, the oldest first, and its status."""
        label = f"workflows.argoproj.io/cron-workflow={name}"
        runs = json.loads(self._kubectl("get", "workflows", "-l", label, "-o", "json").stdout)["items"]
        status = json.loads(self._kubectl("get", "cronworkflow", name, "-o", "json").stdout).get("status") or {}
        return {
            "status": {key: status.get(key) for key in _CRON_STATUS},
            "runs": [_cron_run(run) for run in sorted(runs, key=lambda run: str(run["metadata"]["name"]))],
        }

    def lint(self, files: Sequence[Path]) -> list[str]:
        """What `argo lint` says of the files, without their names; nothing if they pass."""
        done = self._run(["argo", "lint", "--offline", "-o", "simple", *map(str, files)])
        said = [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith("time=")]
        return [] if done.returncode == 0 else [_LINT_PREFIX.sub("", line) for line in said]

    def versions(self) -> dict[str, str]:
        """What answered."""
        server = json.loads(self._kubectl("version", "-o", "json").stdout)["serverVersion"]["gitVersion"]
        path = "jsonpath={.spec.template.spec.containers[0].image}"
        image = self._kubectl("get", "deployment", "workflow-controller", "-n", "argo", "-o", path).stdout
        return {"argo": image.rpartition(":")[2].removesuffix("-zones"), "kubernetes": server}

    def _kubectl(
        self, verb: str, *arguments: str, given: dict[str, Any] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "-n", NAMESPACE, verb, *arguments]
        done = self._run(command, given=given)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done

    @staticmethod
    def _run(command: list[str], *, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        text = None if given is None else json.dumps(given)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def _cron_run(run: dict[str, Any]) -> dict[str, Any]:
    metadata, status = run["metadata"], run.get("status") or {}
    root = (status.get("nodes") or {}).get(metadata["name"], {})
    return {
        "name": metadata["name"],
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "arguments": run["spec"].get("arguments"),
        "inputs": root.get("inputs"),
        "phase": status.get("phase"),
        "message": status.get("message"),
        "shutdown": run["spec"].get("shutdown"),
    }


def with_texts(node: Any) -> Any:
    """The document with every parameter's value a text, as the argo command sends it: full CRDs accept nothing else."""
    if isinstance(node, list):
        return [with_texts(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _parameters(value) if key == "parameters" else with_texts(value) for key, value in node.items()}


def _parameters(listed: Any) -> Any:
    return [_parameter(item) for item in listed] if isinstance(listed, list) else with_texts(listed)


def _parameter(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    texts: dict[str, Any] = {key: _text(item[key]) for key in ("value", "default") if item.get(key) is not None}
    if "enum" in item:
        texts["enum"] = [_text(one) for one in item["enum"]]
    return {**with_texts(item), **texts}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):  # Go reads every number as a 64-bit float
        return format(Decimal(repr(float(value))).normalize(), "f")
    return json.dumps(value)


def application_status(state: str) -> dict[str, Any]:
    """The `.status` that the stand-in operator shows in a state."""
    status: dict[str, Any] = {"applicationState": {"state": state}, "executionAttempts": 1, "submissionAttempts": 1}
    if state == "FAILED":
        status["applicationState"]["errorMessage"] = "driver container failed with ExitCode: 1, Reason: Error"
    status["driverInfo"] = {} if state == "SUBMITTED" else {"podName": "driver"}
    return status
