"""The workflow of a day, and when it is due, with a CronWorkflow, with a WorkflowTemplate, and with both."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from grader.grading.pipeline import Pipeline
from grader.submission import read, reference
from grader.submission.tests.folders import INGEST, WORKFLOW, write
from pipelines.local.errors import BadInput
from pipelines.local.platform import objects

DAY = date(2013, 3, 9)
USUAL = datetime(2013, 3, 10, 11, tzinfo=timezone.utc)
LAKE = [objects.config_map({"yearShift": "0"})]
DS = "{{= date(workflow.scheduledTime).In(timezone(`America/New_York`)).AddDate(0, 0, -1).Format(`2006-01-02`) }}"
CRON = f"""apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata:
  name: ingest
spec:
  schedules: ["30 4 * * *"]
  timezone: America/New_York
  workflowSpec:
    workflowTemplateRef:
      name: ingest
    arguments:
      parameters:
      - name: ds
        value: '{DS}'
      - name: mode
        value: full
"""
ALONE = CRON.replace("workflowTemplateRef:\n      name: ingest", "entrypoint: main\n    templates:\n    - name: main")
ALONE = ALONE.replace("- name: main", "- name: main\n      container: {image: busybox, command: [echo]}")


def pipeline(folder: Path, text: str) -> Pipeline:
    """A pipeline whose manifest has some documents."""
    write(folder)
    (folder / "ingest" / "workflow.yaml").write_text(text)
    return Pipeline(name="ingest", submission=read(folder), objects=LAKE)


def parameters(workflow: dict[str, Any]) -> dict[str, str]:
    """The arguments of a workflow."""
    return {one["name"]: one.get("value", "") for one in workflow["spec"]["arguments"]["parameters"]}


def test_due_by_the_schedule(tmp_path: Path) -> None:
    """A day is due when its schedule fires for it: half past four in New York, before and after the clocks change."""
    found = pipeline(tmp_path, f"{WORKFLOW}---\n{CRON}").due([DAY, date(2013, 3, 10)])
    assert found[DAY] == datetime(2013, 3, 10, 8, 30, tzinfo=timezone.utc)
    assert found[date(2013, 3, 10)] == datetime(2013, 3, 11, 8, 30, tzinfo=timezone.utc)
    assert pipeline(tmp_path, f"{WORKFLOW}---\n{CRON}").due([date(2013, 3, 8)])[date(2013, 3, 8)].hour == 9


def test_due_without_a_schedule(tmp_path: Path) -> None:
    """Without a schedule a day is due when it is over everywhere."""
    assert pipeline(tmp_path, WORKFLOW).due([DAY]) == {DAY: USUAL}


@pytest.mark.parametrize("expression", ["2013-01-01", "{{workflow.creationTimestamp}}", "{{= nothing( }}"])
def test_due_by_a_schedule_that_never_comes_to_the_day(tmp_path: Path, expression: str) -> None:
    """A schedule that cannot say, or is never for the day, does not keep it from being run."""
    found = pipeline(tmp_path, f"{WORKFLOW}---\n{CRON.replace(DS, expression)}").due([DAY])
    assert found == {DAY: USUAL}


def test_workflow_of_a_schedule(tmp_path: Path) -> None:
    """With a CronWorkflow the workflow is what that makes: its own expression, not a day that we give."""
    made = pipeline(tmp_path, f"{WORKFLOW}---\n{CRON}")
    found = made.workflow("ingest-1", DAY, made.due([DAY])[DAY])
    assert found["metadata"]["name"] == "ingest-1"
    assert parameters(found) == {"ds": DS, "mode": "full"}
    assert found["spec"]["workflowTemplateRef"]["name"] == "ingest"


def test_workflow_of_a_template(tmp_path: Path) -> None:
    """With a WorkflowTemplate only, the day is its parameter."""
    found = pipeline(tmp_path, WORKFLOW).workflow("ingest-1", DAY, USUAL)
    assert found["metadata"]["name"] == "ingest-1"
    assert parameters(found) == {"ds": "2013-03-09"}


def test_workflow_with_a_parameter(tmp_path: Path) -> None:
    """Any parameter may be given: to the template where there is one, else in place of the schedule's own."""
    both = pipeline(tmp_path / "both", f"{WORKFLOW}---\n{CRON}").workflow_with("ingest-1", "2013-02-30")
    assert parameters(both)["ds"] == "2013-02-30"
    assert DS not in str(both)
    alone = pipeline(tmp_path / "alone", ALONE).workflow_with("ingest-2", "2013-02-30")
    assert parameters(alone) == {"ds": "2013-02-30", "mode": "full"}
    assert [one["name"] for one in alone["spec"]["arguments"]["parameters"]].count("ds") == 1
    assert alone["spec"]["entrypoint"] == "main"
    bare = ALONE.partition("    arguments:")[0]
    assert parameters(pipeline(tmp_path / "bare", bare).workflow_with("ingest-3", "x")) == {"ds": "x"}


def test_manifest_without_a_workflow(tmp_path: Path) -> None:
    """A manifest with neither is refused when it is to be run, with its place."""
    made = pipeline(tmp_path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lake}\ndata: {}\n")
    why = "pipeline ingest has neither a WorkflowTemplate nor a CronWorkflow"
    with pytest.raises(BadInput, match=why):
        made.workflow("x", DAY, USUAL)
    with pytest.raises(BadInput, match=why):
        made.workflow_with("x", "y")


def test_documents_of_another_name(tmp_path: Path) -> None:
    """The document of the pipeline's name counts, or else the first there is."""
    other = WORKFLOW.replace("name: ingest", "name: helper")
    found = pipeline(tmp_path, f"{other}---\n{WORKFLOW}")
    assert (found.template or {})["metadata"]["name"] == "ingest"
    assert (pipeline(tmp_path, other).template or {})["metadata"]["name"] == "helper"
    assert found.cron is None


@pytest.mark.parametrize("name", ["ingest", "transform", "publish"])
def test_reference(name: str) -> None:
    """The reference's days are due by their schedules, one day after another."""
    made = Pipeline(name=name, submission=reference(), objects=LAKE)
    found = made.due([DAY, date(2013, 3, 10)])
    assert USUAL not in found.values()
    assert found[DAY] < found[date(2013, 3, 10)]
    assert INGEST.startswith("[pipelines.ingest]")
