"""M05: a workflow step runs Spark through the SparkApplication resource, and waits for its real end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe
from grader.checks.registry import Registry
from grader.lineage.snapshots import find_nodes

M05 = Registry("M05")

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


@M05.check("submits", points=2)
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
            hints=("Compare successCondition and failureCondition with the states of the operator.",),
        )
    lacking = [
        run.name
        for run in runs.values()
        if run.phase == "Succeeded" and not any(one.workflow == run.name for one in found)
    ]
    if lacking or not found:
        which = lacking[0] if lacking else "any run"
        raise Failure(
            f"no SparkApplication was created by {which}",
            evidence=Evidence(columns=columns, rows=rows, expected="at least one for each run", found="none"),
            hints=(
                "A step that calls spark-submit itself works, but nothing on the cluster knows that it is a Spark job.",
                "Use a resource template with action create and a SparkApplication as its manifest.",
            ),
        )
    return Passed(
        f"{len(found)} SparkApplications were created by {len(runs)} runs, and each step ended as its application did",
        Evidence(columns=columns, rows=rows[-10:]),
    )


@M05.check("conditions", needs=())
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
            hints=(
                "Only two states are terminal: COMPLETED and FAILED.",
                "successCondition: status.applicationState.state == COMPLETED, and the same with FAILED to fail.",
            ),
        )
    if not rows:
        raise Failure(
            "no template creates a SparkApplication", evidence=Evidence(expected="at least one", found="none")
        )
    return Passed(
        f"{len(rows)} templates, {len(STATES)} states each: only COMPLETED succeeds, only FAILED fails",
        Evidence(columns=("template", "successCondition", "failureCondition"), rows=rows),
    )


@M05.check("names", needs=())
def names(probe: Probe) -> Passed:
    """A rerun or retry never meets the SparkApplication of an earlier attempt."""
    rows = []
    for workflow, template, resource in applications(probe):
        meta = _metadata(str(resource["manifest"]))
        name = str(meta.get("generateName") or meta.get("name") or "")
        unique = bool(meta.get("generateName")) or "{{" in name
        rows.append((f"{workflow}/{template}", resource.get("action", ""), name, unique))
    wrong = [row for row in rows if row[1] != "create" or not row[3]]
    if wrong:
        where, action, name, _ = wrong[0]
        raise Failure(
            f"{where} does {action} of {name or 'no name'}: a second run would meet the first one's object",
            evidence=Evidence(columns=("template", "action", "name", "differs by run"), rows=wrong),
            hints=(
                "create of a fixed name fails with AlreadyExists the second time.",
                "apply of an unchanged object finds the old COMPLETED at once: Spark never runs again.",
                "action: create, and generateName, or a name with {{workflow.name}} and {{retries}}.",
            ),
        )
    if not rows:
        raise Failure("no template creates a SparkApplication")
    return Passed(
        f"{len(rows)} templates create objects whose names differ by run and attempt",
        Evidence(columns=("template", "action", "name", "differs by run"), rows=rows),
    )


def _metadata(manifest: str) -> Mapping[str, Any]:
    """Read a manifest's metadata; tags in braces are no YAML, so they are taken as text."""
    quoted = manifest.replace("{{", "\u27e6").replace("}}", "\u27e7")
    document = yaml.safe_load(quoted)
    meta = (document or {}).get("metadata") or {}
    return {key: str(value).replace("\u27e6", "{{").replace("\u27e7", "}}") for key, value in meta.items()}
