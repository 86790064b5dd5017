"""The Workflow that a CronWorkflow, a WorkflowTemplate or a ScheduledSparkApplication makes for one time."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.local.manifest.documents import ARGO, SPARK

CREATOR_LABELS = (
    "workflows.argoproj.io/creator",
    "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
)
CRON_LABEL = "workflows.argoproj.io/cron-workflow"
TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"
TIME_ANNOTATION = "workflows.argoproj.io/scheduled-time"


def rfc3339(moment: datetime) -> str:
    """Write a time in UTC as Argo does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def from_cron(cron: Mapping[str, Any], name: str, scheduled: datetime) -> dict[str, Any]:
    """Make the workflow that a CronWorkflow starts at a time."""
    metadata, spec = cron.get("metadata") or {}, cron["spec"]
    given = spec.get("workflowMetadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key in CREATOR_LABELS}
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {
            "name": name,
            "labels": {**labels, CRON_LABEL: metadata.get("name", ""), **(given.get("labels") or {})},
            "annotations": {TIME_ANNOTATION: rfc3339(scheduled), **(given.get("annotations") or {})},
        },
        "spec": copy.deepcopy(spec.get("workflowSpec") or {}),
    }


def from_template(template: Mapping[str, Any], name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Make the workflow that `argo submit --from workflowtemplate/…` makes."""
    source = (template.get("metadata") or {}).get("name", "")
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {"name": name, "labels": {TEMPLATE_LABEL: source}},
        "spec": {
            "workflowTemplateRef": {"name": source},
            "arguments": {"parameters": [{"name": key, "value": value} for key, value in parameters.items()]},
        },
    }


def from_spark(scheduled: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Make a workflow of one step that creates the SparkApplication of a ScheduledSparkApplication and waits for it."""
    owner = (scheduled.get("metadata") or {}).get("name", "")
    labels = {
        "sparkoperator.k8s.io/scheduled-app-name": owner,
        **((scheduled.get("metadata") or {}).get("labels") or {}),
    }
    app = {
        "apiVersion": SPARK,
        "kind": "SparkApplication",
        "metadata": {"name": name, "labels": labels},
        "spec": copy.deepcopy(scheduled["spec"]["template"]),
    }
    step = {
        "action": "create",
        "manifest": json.dumps(app),
        "successCondition": "status.applicationState.state == COMPLETED",
        "failureCondition": "status.applicationState.state == FAILED",
    }
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": "application", "templates": [{"name": "application", "resource": step}]},
    }
