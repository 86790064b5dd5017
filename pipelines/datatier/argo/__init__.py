"""Argo templates of a data tier, in Hera: Spark, dbt and Python steps, retries, schedules, exit handlers.

Import it where manifests are rendered; jobs do not need Hera.
"""

from __future__ import annotations

from pipelines.datatier.argo.parameters import given, workflow
from pipelines.datatier.argo.pipelines import Node, cron_workflow, pipeline
from pipelines.datatier.argo.policies import Backoff, Schedule
from pipelines.datatier.argo.render import to_yaml
from pipelines.datatier.argo.steps import dbt_step, notify_step, python_step, spark_step

__all__ = [
    "Backoff",
    "Node",
    "Schedule",
    "cron_workflow",
    "dbt_step",
    "given",
    "notify_step",
    "pipeline",
    "python_step",
    "spark_step",
    "to_yaml",
    "workflow",
]
