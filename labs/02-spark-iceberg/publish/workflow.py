"""Manifests of pipeline `publish`: read → replace → notify."""

from __future__ import annotations

from collections.abc import Sequence

from hera.workflows import CronWorkflow, WorkflowTemplate

from pipelines.datatier.argo import Node, Schedule, cron_workflow, given, notify_step, pipeline, python_step

TITLE = "Publish a day of the marts to PostgreSQL, and announce it"
OUTPUT = "/tmp/publication.json"  # noqa: S108 - the step's own
PUBLICATION = "{{tasks.read.outputs.parameters.publication}}"


def nodes() -> Sequence[Node]:
    """Make the pipeline's steps."""
    pinned = ["--publication", given("publication")]
    return [
        Node(
            template=python_step(
                "read",
                module="pipelines.publish.read",
                needs=("catalog",),
                arguments=["--output", OUTPUT],
                outputs={"publication": OUTPUT},
            )
        ),
        Node(
            template=python_step(
                "replace",
                module="pipelines.publish.replace",
                needs=("catalog", "postgres", "lineage"),
                arguments=pinned,
                takes=["publication"],
            ),
            arguments={"publication": PUBLICATION},
        ),
        Node(
            template=notify_step(
                "notify",
                module="pipelines.publish.notify",
                needs=("webhook", "postgres", "lineage"),
                arguments=pinned,
                takes=["publication"],
            ),
            arguments={"publication": PUBLICATION},
        ),
    ]


def manifests() -> list[WorkflowTemplate | CronWorkflow]:
    """Build what is applied to a cluster."""
    schedule = Schedule(cron="0 6 * * *")
    return [pipeline("publish", nodes, title=TITLE), cron_workflow("publish", schedule, title=TITLE)]
