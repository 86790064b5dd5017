"""Manifests of pipeline `transform`: curate → build → audit."""

from __future__ import annotations

from collections.abc import Sequence

from hera.workflows import CronWorkflow, WorkflowTemplate

from pipelines.datatier.argo import Node, Schedule, cron_workflow, dbt_step, pipeline, python_step, spark_step

TITLE = "Curate a day of flights with Spark, and build its marts with dbt"


def nodes() -> Sequence[Node]:
    """Make the pipeline's steps."""
    return [
        Node(template=python_step("check", module="pipelines.datatier.check")),
        Node(template=spark_step("curate", job="transform.curate", main="pipelines/transform/curate.py")),
        Node(template=dbt_step("build", job="transform.build", main="pipelines/transform/build.py")),
        Node(template=python_step("audit", module="pipelines.transform.audit", needs=("catalog", "lineage"))),
    ]


def manifests() -> list[WorkflowTemplate | CronWorkflow]:
    """Build what is applied to a cluster."""
    schedule = Schedule(cron="0 5 * * *")
    return [pipeline("transform", nodes, title=TITLE), cron_workflow("transform", schedule, title=TITLE)]
