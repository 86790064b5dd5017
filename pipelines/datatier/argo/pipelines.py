"""Whole pipelines: a WorkflowTemplate, and the CronWorkflow that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hera.workflows import DAG, Container, CronWorkflow, Parameter, Resource, Step, Steps, Task, WorkflowTemplate
from hera.workflows.models import Mutex, Synchronization, TemplateRef, WorkflowTemplateRef

from pipelines.datatier.argo.parameters import configuration, given, workflow
from pipelines.datatier.argo.policies import Schedule
from pipelines.datatier.argo.steps import notify_step

LABELS = {"app.kubernetes.io/part-of": "batchlab"}
TITLE = "workflows.argoproj.io/title"
SERVICE_ACCOUNT = "workflow"
MAIN = "main"
EXIT = "exit"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One task of a pipeline: a template of its own, or the whole of another pipeline.

    Args:
        template: what `spark_step` and its like return, or the name of another pipeline.
        arguments: arguments beyond `ds`.
    """

    template: Container | Resource | str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def task(self) -> Task:
        """Make the DAG's task."""
        arguments = {"ds": given("ds"), **self.arguments}
        if isinstance(self.template, str):
            reference = TemplateRef(name=self.template, template=MAIN)
            return Task(name=self.template, template_ref=reference, arguments=arguments)
        return Task(name=str(self.template.name), template=self.template, arguments=arguments)


def pipeline(
    name: str, nodes: Callable[[], Sequence[Node]], *, title: str, parameters: Mapping[str, str] | None = None
) -> WorkflowTemplate:
    """Build a WorkflowTemplate whose entrypoint `main` runs the nodes one after another for the input `ds`.

    Runs of the same pipeline and day wait for one another; those of different days do not. When a run fails, its exit
    handler tells the webhook.

    Args:
        name: name of the template.
        nodes: makes the nodes; called where Hera collects templates.
        title: one line for people.
        parameters: the pipeline's own parameters with their defaults.
    """
    with WorkflowTemplate(
        name=name,
        labels=LABELS,
        annotations={TITLE: title},
        entrypoint=MAIN,
        on_exit=EXIT,
        service_account_name=SERVICE_ACCOUNT,
        arguments=[Parameter(name="ds", description="Flight date, YYYY-MM-DD"), *configuration(dict(parameters or {}))],
    ) as template:
        made = nodes()
        lock = Synchronization(mutexes=[Mutex(name=f"{name}-{given('ds')}")])
        with DAG(name=MAIN, inputs=[Parameter(name="ds")], synchronization=lock):
            tasks = [node.task() for node in made]
            for before, after in pairwise(tasks):
                before >> after
        exit_handler(name)
    return template


def exit_handler(name: str) -> None:
    """Define the template `exit`: tell the webhook of a run that did not succeed; a success costs nothing."""
    body = '{"pipeline": "%s", "ds": "%s", "workflow": "{{workflow.name}}", "status": "{{workflow.status}}"}'
    key = "alert:{{workflow.name}}:{{workflow.status}}"
    alert = notify_step("alert", arguments=["--key", key, "--body", body % (name, given("ds"))])
    with Steps(name=EXIT):
        Step(
            name="alert",
            template=alert,
            when="{{workflow.status}} != Succeeded",
            arguments={"ds": workflow("ds")},
        )


def cron_workflow(name: str, schedule: Schedule, *, title: str) -> CronWorkflow:
    """Build a CronWorkflow that runs the WorkflowTemplate of the same name for the day before its scheduled time."""
    return CronWorkflow(
        name=name,
        labels=LABELS,
        annotations={TITLE: title},
        schedules=[schedule.cron],
        timezone=schedule.timezone,
        concurrency_policy=schedule.concurrency,
        starting_deadline_seconds=schedule.starting_deadline,
        successful_jobs_history_limit=3,
        failed_jobs_history_limit=3,
        workflow_template_ref=WorkflowTemplateRef(name=name),
        arguments=[Parameter(name="ds", value=schedule.logical_date())],
    )
