"""Manifests of pipeline `ingest`: extract → validate → write."""

from __future__ import annotations

from collections.abc import Sequence

from hera.workflows import CronWorkflow, WorkflowTemplate

from pipelines.datatier.argo import Node, Schedule, cron_workflow, pipeline, python_step, spark_step, workflow

TITLE = "Ingest a day of flights and weather from the operational database"
LATENESS = ["--allowed-lateness", workflow("allowedLateness")]


def nodes() -> Sequence[Node]:
    """Make the pipeline's steps."""
    limits = ["--min-rows", workflow("minRows"), "--max-rows", workflow("maxRows")]
    return [
        Node(template=python_step("check", module="pipelines.datatier.check")),
        Node(
            template=spark_step("extract", job="ingest.extract", main="pipelines/ingest/extract.py", arguments=LATENESS)
        ),
        Node(
            template=python_step(
                "validate",
                module="pipelines.ingest.validate",
                needs=("catalog", "postgres"),
                arguments=[*LATENESS, *limits],
            )
        ),
        Node(template=python_step("write", module="pipelines.ingest.write", needs=("catalog", "lineage"))),
    ]


def manifests() -> list[WorkflowTemplate | CronWorkflow]:
    """Build what is applied to a cluster."""
    parameters = {"allowedLateness": "30", "minRows": "0", "maxRows": "1000000"}
    schedule = Schedule(cron="0 4 * * *")
    return [
        pipeline("ingest", nodes, title=TITLE, parameters=parameters),
        cron_workflow("ingest", schedule, title=TITLE),
    ]
