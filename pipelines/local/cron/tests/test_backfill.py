"""Backfill: each date gets the time whose own `ds` it is, in the order that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from pipelines.local.cron import Backfill, Outcome
from pipelines.local.cron.logical import Logical
from pipelines.local.cron.schedule import parse_range
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang

YESTERDAY = (
    "{{=sprig.date_in_zone('2006-01-02', sprig.toDate('2006-01-02T15:04:05Z07:00', workflow.scheduledTime)"
    ".AddDate(0, 0, -1), 'America/New_York')}}"
)


def _cron(ds: str = YESTERDAY, **spec: Any) -> dict[str, Any]:
    arguments = {"parameters": [{"name": "ds", "value": ds}]}
    workflow = {"workflowTemplateRef": {"name": "ingest"}, "arguments": arguments}
    return {
        "metadata": {"name": "daily"},
        "spec": {"schedules": ["30 1 * * *"], "timezone": "America/New_York", "workflowSpec": workflow, **spec},
    }


def _logical(cron: Mapping[str, Any], **more: Any) -> Logical:
    return Logical(cron=cron, templates=more.get("templates", {}), objects=more.get("objects", []), lang=Lang.shared())


class Fake:
    """Runs that only remember."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parameters: list[Any] = []
        self.together = threading.Barrier(2)

    def run(self, workflow: Mapping[str, Any], *, name: str, scheduled_time: datetime) -> Outcome:
        """Remember one, and wait for another at the same time."""
        self.names.append(name)
        self.parameters.append(workflow["spec"]["arguments"]["parameters"])
        self.together.wait(10)
        return Outcome(name=name, phase="Succeeded")

    def terminate(self, name: str) -> None:
        """Nothing to do."""

    def exists(self, name: str) -> bool:
        """Nothing exists."""
        return False


def test_each_date_gets_its_own_time() -> None:
    """The run of a flight date is the one that fires on the day after, also over the change of clocks."""
    plan = Backfill(first=date(2013, 3, 8), last=date(2013, 3, 10), logical=_logical(_cron())).plan()
    assert [(run.ds, f"{run.scheduled_time:%dT%H:%M}") for run in plan] == [
        ("2013-03-08", "09T06:30"),
        ("2013-03-09", "10T06:30"),
        ("2013-03-10", "11T05:30"),
    ]
    assert all(run.name.startswith(f"daily-{run.ds.replace('-', '')}-") and len(run.name) <= 63 for run in plan)


def test_the_first_time_of_a_date_is_taken() -> None:
    """A time that comes twice when the clocks go back has one run in a backfill."""
    plan = Backfill(first=date(2013, 11, 2), last=date(2013, 11, 2), logical=_logical(_cron())).plan()
    assert [f"{run.scheduled_time:%dT%H:%M}" for run in plan] == ["03T05:30"]


def test_shuffle_is_reproducible() -> None:
    """The same seed gives the same order, of the same dates."""
    orders = [
        [
            run.ds
            for run in Backfill(
                first=date(2013, 1, 1), last=date(2013, 1, 9), logical=_logical(_cron()), shuffle=7
            ).plan()
        ]
        for _ in range(2)
    ]
    assert orders[0] == orders[1] != sorted(orders[0])
    assert len(set(orders[0])) == 9


def test_parallel_runs() -> None:
    """Two dates run at the same time, and results come in the order of the dates."""
    fake = Fake()
    template = {"metadata": {"name": "ingest"}}
    backfill = Backfill(first=date(2013, 1, 1), last=date(2013, 1, 2), template=template)
    results = list(backfill.run(fake, parallel=2))
    assert [(run.ds, run.phase) for run in results] == [("2013-01-01", "Succeeded"), ("2013-01-02", "Succeeded")]
    assert [{"name": "ds", "value": "2013-01-01"}] in fake.parameters


def test_ds_of_nested_parameters() -> None:
    """`ds` is found through other parameters, a ConfigMap, a WorkflowTemplate's defaults, or inside its templates."""
    at = datetime.fromisoformat("2013-03-10T06:30:00+00:00")
    lake = {"kind": "ConfigMap", "metadata": {"name": "lake"}, "data": {"shift": "1"}}
    shift = {"name": "shift", "valueFrom": {"configMapKeyRef": {"name": "lake", "key": "shift"}}}
    expression = (
        "{{=sprig.date('2006-01-02', sprig.toDate('2006-01-02T15:04:05Z07:00', workflow.scheduledTime)"
        ".AddDate(0, 0, -asInt(workflow.parameters.shift)))}}"
    )
    template = {"spec": {"arguments": {"parameters": [shift, {"name": "ds", "value": expression}]}}}
    cron = _cron()
    del cron["spec"]["workflowSpec"]["arguments"]
    assert _logical(cron, templates={"ingest": template}, objects=[lake]).ds(at) == "2013-03-09"
    inner = {
        "spec": {"templates": [{"inputs": {"parameters": [{"name": "ds", "default": "{{workflow.scheduledTime}}"}]}}]}
    }
    assert _logical(cron, templates={"ingest": inner}).ds(at) == "2013-03-10T06:30:00Z"
    assert _logical(cron).ds(at) is None


def test_bad_input() -> None:
    """A range that is none, a date that never comes, and a workflow without `ds` are told."""
    with pytest.raises(BadInput, match="'2013-02-30' is no date"):
        parse_range("2013-02-30", "2013-03-01")
    with pytest.raises(BadInput, match="comes after"):
        parse_range("2013-03-02", "2013-03-01")
    monthly = _cron(schedules=["30 1 1 * *"])
    with pytest.raises(BadInput, match="no time of the schedule has ds 2013-03-10"):
        Backfill(first=date(2013, 3, 10), last=date(2013, 3, 10), logical=_logical(monthly)).plan()
    without = _cron()
    del without["spec"]["workflowSpec"]["arguments"]
    with pytest.raises(BadInput, match="no parameter ds"):
        Backfill(first=date(2013, 3, 10), last=date(2013, 3, 10), logical=_logical(without)).plan()
    broken = _cron("{{=date(workflow.scheduledTime).Frmat('x')}}")
    with pytest.raises(BadInput, match=r"ds cannot be worked out: .*Frmat"):
        Backfill(first=date(2013, 3, 10), last=date(2013, 3, 10), logical=_logical(broken)).plan()
