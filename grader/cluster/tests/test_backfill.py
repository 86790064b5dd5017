"""A range of past days as Workflows: in any order, two at once, each day what the source has, and no other touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
import pytest

from grader.cluster.backfill import ClusterRuns, backfill
from grader.cluster.grading.site import site
from grader.cluster.place import load
from grader.cluster.workflows import Workflows
from grader.fingerprint.lake import PARTITION
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

DAYS = (date(2013, 5, 18), date(2013, 5, 20))


class Fake:
    """A cluster with two templates, whose workflows end at once: the second one badly."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    @property
    def kubectl(self) -> Any:
        """Its own kubectl."""
        return self

    def items(self, *_: str) -> list[dict[str, Any]]:
        """List the templates."""
        spec = {"arguments": {"parameters": [{"name": "ds"}]}}
        return [{"metadata": {"name": "ingest"}, "spec": spec}, {"metadata": {"name": "data-tier"}, "spec": {}}]

    def create(self, workflow: dict[str, Any]) -> str:
        """Note a workflow."""
        self.made.append(workflow)
        return str(workflow["metadata"]["name"])

    def follow(self, name: str, *, patience: float) -> dict[str, Any]:
        """Give its end."""
        assert patience == 5
        phase = "Succeeded" if "20130519" not in name else "Failed"
        node = {"type": "Pod", "displayName": "extract", "phase": phase, "message": "exit code 1"}
        return {"status": {"phase": phase, "nodes": {"a": node}}}


def test_each_date_is_a_workflow_of_its_own() -> None:
    """Of the template that is on the cluster, with the date as its parameter; a failed one is told with its step."""
    fake: Any = Fake()
    plan = backfill(fake, "ingest", *DAYS, shuffle=3)
    done = {run.ds: run for run in plan.run(ClusterRuns(workflows=fake, patience=5), parallel=2)}
    assert {run.ds: run.phase for run in done.values()} == {
        "2013-05-18": "Succeeded", "2013-05-19": "Failed", "2013-05-20": "Succeeded",
    }  # fmt: skip
    assert done["2013-05-19"].message == "extract Failed (exit code 1)"
    given = [(one["spec"]["workflowTemplateRef"]["name"], one["spec"]["arguments"]["parameters"]) for one in fake.made]
    assert sorted(given, key=str) == [("ingest", [{"name": "ds", "value": f"2013-05-{day}"}]) for day in (18, 19, 20)]


@pytest.mark.parametrize(
    ("template", "said"), [("nightly", "it has: data-tier, ingest"), ("data-tier", "has no parameter ds")]
)
def test_what_cannot_be_backfilled_is_refused(template: str, said: str) -> None:
    """Before anything is created."""
    fake: Any = Fake()
    with pytest.raises(BadInput) as refused:
        backfill(fake, template, *DAYS, shuffle=None)
    assert said in str(refused.value)
    assert fake.made == []


def held(name: str) -> dict[str, tuple[int, str]]:
    """Give rows and digest of a table's partitions."""
    state = StateDir.locate()
    with site(load(state), state) as here:
        if name not in here.lake.tables():
            return {}
        return {part: (one.rows, one.hash) for part, one in here.lake.fingerprint(name).partitions.items()}


def counted(days: Sequence[str]) -> dict[str, int]:
    """Count the source's flights of some days."""
    state = StateDir.locate()
    with site(load(state), state) as here, psycopg.connect(here.lake.dsn) as pg:
        query = "SELECT count(*) FROM ops.flights WHERE flight_date = %s"
        return {day: pg.execute(query, (day,)).fetchall()[0][0] for day in days}


@pytest.mark.cluster
@pytest.mark.timeout(1500)
def test_a_range_is_backfilled_on_the_cluster(workflows: Workflows) -> None:
    """Real Workflows, shuffled, two at once: the days hold what the source has, all others are as they were."""
    before = held("lake.raw.flights")
    plan = backfill(workflows, "ingest", DAYS[0], date(2013, 5, 19), shuffle=7)
    done = list(plan.run(ClusterRuns(workflows=workflows, patience=1200), parallel=2))
    assert [run.phase for run in done] == ["Succeeded"] * 2, done
    after = held("lake.raw.flights")
    range_ = [f"{PARTITION}=2013-05-{day}" for day in (18, 19)]
    expected = counted([part.removeprefix(f"{PARTITION}=") for part in range_])
    assert {part: after[part][0] for part in range_} == {f"{PARTITION}={day}": rows for day, rows in expected.items()}
    assert {part: one for part, one in after.items() if part not in range_} == {
        part: one for part, one in before.items() if part not in range_
    }
