"""Manifests of `daily`: ingest, transform and publish in order, as one workflow a day."""

from __future__ import annotations

from collections.abc import Sequence

from hera.workflows import CronWorkflow, WorkflowTemplate

from pipelines.datatier.argo import Node, Schedule, cron_workflow, pipeline

TITLE = "A day of flights from the operational database to the reports"


def nodes() -> Sequence[Node]:
    """Make one node per pipeline."""
    return [Node(template=name) for name in ("ingest", "transform", "publish")]


def manifests() -> list[WorkflowTemplate | CronWorkflow]:
    """Build what is applied to a cluster."""
    parameters = {"allowedLateness": "30", "minRows": "0", "maxRows": "1000000"}  # ingest's, which runs inside
    schedule = Schedule(cron="0 7 * * *")
    return [pipeline("daily", nodes, title=TITLE, parameters=parameters), cron_workflow("daily", schedule, title=TITLE)]
