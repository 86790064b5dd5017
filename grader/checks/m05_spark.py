"""M05: a workflow step runs Spark through the SparkApplication resource, and waits for its real end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from grader.checks.m07_retries import strategies
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.object_names import same_for
from grader.checks.probe import DAILY, Probe
from grader.checks.registry import Registry
from grader.lineage.snapshots import find_nodes

M05 = Registry("M05")

_NONE_HINTS = (
    "What on the cluster knows that this step is a Spark job?",
    "A step that calls spark-submit itself works, but no SparkApplication shows its state, its driver or its retries.",
    "resource: {action: create, manifest: |} with kind: SparkApplication, successCondition and failureCondition.",
)
STATES = {
    "": "waiting", "SUBMITTED": "waiting", "RUNNING": "waiting", "SUCCEEDING": "waiting", "COMPLETED": "succeeded",
    "FAILING": "waiting", "FAILED": "failed", "SUBMISSION_FAILED": "waiting", "PENDING_RERUN": "waiting",
    "INVALIDATING": "waiting", "SUSPENDING": "waiting", "SUSPENDED": "waiting", "RESUMING": "waiting",
    "UNKNOWN": "waiting",
}  # fmt: skip
"""What a step must make of each state of Spark Operator 2.4: COMPLETED and FAILED are its only terminal ones."""


def applications(probe: Probe) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Find resource templates that make SparkApplications: workflow template, template, resource."""
    for document in probe.templates():
        for template in document.get("spec", {}).get("templates") or []:
            resource = template.get("resource") or {}
            if "SparkApplication" in str(resource.get("manifest", "")):
                yield document["metadata"]["name"], template["name"], resource


@M05.check("submits", points=2, pipelines=("transform",), hints=(
    "When may a step say that it has succeeded?",
    "A resource step ends when one of its conditions holds of the object's status, and at once if it has none.",
    "successCondition: status.applicationState.state == COMPLETED; failureCondition: the same with FAILED.",
))  # fmt: skip
def submits(probe: Probe) -> Passed:
    """Spark steps create a SparkApplication, it completes, and the step ends after it."""
    runs = {run.name: run for run in probe.runs()}
    found = [one for one in probe.spark_runs() if one.workflow in runs]
    rows = []
    for one in found:
        state = (one.status.get("applicationState") or {}).get("state", "")
        nodes = find_nodes(runs[one.workflow].document, one.node)
        phase = nodes[-1].get("phase", "") if nodes else "no such node"
        label = nodes[-1].get("displayName", one.node) if nodes else one.node
        rows.append((one.workflow, label, one.name, state, one.status.get("executionAttempts", 0), phase))
    wrong = [row for row in rows if (row[3] == "COMPLETED") != (row[5] == "Succeeded")]
    columns = ("workflow", "node", "SparkApplication", "state", "attempts", "node phase")
    if wrong:
        raise Failure(
            f"{wrong[0][2]} ended {wrong[0][3] or 'without a state'}, but its step {wrong[0][1]} is {wrong[0][5]}",
            evidence=Evidence(columns=columns, rows=wrong, expected="COMPLETED and Succeeded together"),
        )
    lacking = [
        run.name
        for run in runs.values()
        if run.phase == "Succeeded"
        and run.pipeline in {DAILY, "transform"}
        and not any(one.workflow == run.name for one in found)
    ]
    if lacking or not found:
        which = lacking[0] if lacking else "any run"
        raise Failure(
            f"no SparkApplication was created by {which}",
            evidence=Evidence(columns=columns, rows=rows, expected="at least one for each run", found="none"),
            hints=_NONE_HINTS,
        )
    return Passed(
        f"{len(found)} SparkApplications were created by {len(runs)} runs, and each step ended as its application did",
        Evidence(columns=columns, rows=rows[-10:]),
    )


@M05.check("conditions", needs=(), hints=(
    "In which of the states shown is a Spark application really over?",
    "Only two states are terminal, COMPLETED and FAILED; in every other one the step has to wait.",
    "successCondition: status.applicationState.state == COMPLETED; failureCondition: the same with FAILED.",
))  # fmt: skip
def conditions(probe: Probe) -> Passed:
    """A Spark step succeeds on COMPLETED, fails on FAILED, and waits in every other state."""
    rows, wrong = [], []
    for workflow, template, resource in applications(probe):
        success, failure = resource.get("successCondition", ""), resource.get("failureCondition", "")
        for state, wanted in STATES.items():
            status = {"applicationState": {"state": state}} if state else {}
            verdict = probe.conditions(status, success, failure)
            if verdict != wanted:
                wrong.append((f"{workflow}/{template}", state or "(no state yet)", wanted, verdict))
        rows.append((f"{workflow}/{template}", success, failure))
    if wrong:
        where, state, wanted, verdict = wrong[0]
        raise Failure(
            f"{where}: in state {state} the step should have {wanted}, but it has {verdict}".replace(
                "have waiting", "be waiting"
            ).replace("has waiting", "is waiting"),
            evidence=Evidence(columns=("template", "state", "expected", "found"), rows=wrong),
        )
    if not rows:
        raise Failure(
            "no template creates a SparkApplication", evidence=Evidence(expected="at least one", found="none"),
            hints=_NONE_HINTS,
        )  # fmt: skip
    return Passed(
        f"{len(rows)} templates, {len(STATES)} states each: only COMPLETED succeeds, only FAILED fails",
        Evidence(columns=("template", "successCondition", "failureCondition"), rows=rows),
    )


@M05.check("names", needs=(), hints=(
    "What does the second run, or the second attempt, find under that name?",
    "create of a fixed name meets AlreadyExists; apply of the same object finds the old COMPLETED, and runs nothing.",
    "action: create, and generateName, or a name with {{workflow.name}} and {{retries}}.",
))  # fmt: skip
def names(probe: Probe) -> Passed:
    """A rerun or retry never meets the SparkApplication of an earlier attempt."""
    rows = []
    documents = {one["metadata"]["name"]: one for one in probe.templates()}
    for workflow, template, resource in applications(probe):
        meta = _metadata(str(resource["manifest"]))
        name = str(meta.get("generateName") or meta.get("name") or "")
        retried = bool(dict(strategies(documents[workflow])).get(template))
        same = "" if meta.get("generateName") else same_for(name, documents[workflow], retried=retried)
        rows.append((f"{workflow}/{template}", resource.get("action", ""), name, same or "none"))
    wrong = [row for row in rows if row[1] != "create" or row[3] != "none"]
    columns = ("template", "action", "name", "is the same for")
    if wrong:
        where, action, name, same = wrong[0]
        which = (
            "a retry would meet the failed attempt's"
            if same == "every attempt"
            else "a second run would meet the first one's"
        )
        raise Failure(
            f"{where} does {action} of {name or 'no name'}: {which} object",
            evidence=Evidence(columns=columns, rows=wrong),
        )
    if not rows:
        raise Failure("no template creates a SparkApplication", hints=_NONE_HINTS)
    return Passed(
        f"{len(rows)} templates create objects whose names differ by run and attempt",
        Evidence(columns=columns, rows=rows),
    )


def _metadata(manifest: str) -> Mapping[str, Any]:
    """Read a manifest's metadata; tags in braces are no YAML, so they are taken as text."""
    quoted = manifest.replace("{{", "\u27e6").replace("}}", "\u27e7")
    document = yaml.safe_load(quoted)
    meta = (document or {}).get("metadata") or {}
    return {key: str(value).replace("\u27e6", "{{").replace("\u27e7", "}}") for key, value in meta.items()}
