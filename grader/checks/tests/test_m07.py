"""M07: what is retried, what is not, how long a wait may be, and that a failure is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from grader.checks.probe import Attempt, Run
from grader.checks.tests.judging import failure, late, verdict
from grader.checks.tests.world import DAYS, World


def failed(play: str, names: Sequence[str], *, phase: str = "Failed", **facts: Any) -> Run:
    """A run whose pods of some names failed."""
    nodes = {
        name: {
            "id": name,
            "name": name,
            "displayName": name,
            "type": "Pod",
            "phase": "Failed",
            "message": "exit code 1",
        }
        for name in names
    }
    return Run(
        play=play, ds=DAYS[1], name="x", document={"phase": phase, "nodes": nodes}, before={}, after={},
        pipeline="ingest", facts=facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [[], ["x.extract"], ["x.extract(0)"], ["x.load(0:flights)(0)", "x.load(1:weather)(0)"], ["x[0].a(0)", "x[1].a(0)"]],
)
def test_no_retry_of_what_stays_wrong(world: World, names: list[str]) -> None:
    """One attempt of each step is right, also of steps that an item or a group makes several of."""
    world.broken["parameter"] = [failed("parameter", names, ds="2013-02-30")]
    found = verdict(world, "M07-final")
    assert found.outcome == "pass", found.rationale


@pytest.mark.parametrize("names", [["x.extract(0)", "x.extract(1)"], ["x.load(0:a)(0)", "x.load(0:a)(1)"]])
def test_retry_of_what_stays_wrong(world: World, names: list[str]) -> None:
    """Two attempts of one step are named with the pipeline, their number and the parameter."""
    world.broken["parameter"] = [failed("parameter", names, ds="2013-02-30")]
    found = failure(world, "M07-final", "a step of ingest was tried 2 times for 2013-02-30, which is no date")
    assert list(found.evidence.rows) == [("ingest", "2013-02-30", "Failed", 2)]


def test_success_for_no_date(world: World) -> None:
    """A run that succeeds for a day that no calendar has did not look at its parameter."""
    world.broken["parameter"] = [failed("parameter", [], phase="Succeeded", ds="2013-02-30")]
    failure(world, "M07-final", "ingest succeeded for 2013-02-30, which is no date")


def test_what_passes_is_retried(world: World) -> None:
    """A second call and a run that succeeds are right."""
    world.broken["flaky"] = [failed("flaky", [], phase="Succeeded", calls=2)]
    assert verdict(world, "M07-transient").outcome == "pass"


@pytest.mark.parametrize(
    ("names", "phase", "calls", "words"),
    [
        (["x.notify(0)"], "Failed", 1, "ingest of 2013-03-10 ended Failed: x.notify(0): exit code 1"),
        ([], "Succeeded", 1, "answered 503 to ingest of 2013-03-10, which went on as if it had been told"),
        ([], "Succeeded", 0, "answered 503 to ingest of 2013-03-10, which went on"),
    ],
)
def test_what_passes_is_not_retried(world: World, names: list[str], phase: str, calls: int, words: str) -> None:
    """A run that fails of one 503, one that takes it for a yes, and one that never calls are each found."""
    world.broken["flaky"] = [failed("flaky", names, phase=phase, calls=calls)]
    failure(world, "M07-transient", words)


def test_bad_rows_end_the_run(world: World) -> None:
    """A failed run that left everything as it was is right."""
    state = world.made[-1].after
    world.broken["bad"] = [replace(failed("bad", ["x.validate(0)"]), before=state, after=state)]
    found = verdict(world, "M07-reports")
    assert found.outcome == "pass", found.rationale
    assert list(found.evidence.rows) == [("ingest", "2013-03-10", "Failed", 0)]


def test_bad_rows_that_nobody_noticed(world: World) -> None:
    """A run that succeeds over rows that no flight can have hides a failure."""
    state = world.made[-1].after
    world.broken["bad"] = [replace(failed("bad", [], phase="Succeeded"), before=state, after=state)]
    failure(world, "M07-reports", "ingest succeeded")


def test_bad_rows_that_became_visible(world: World) -> None:
    """A failed run that had written already is named with table and partition; a table that vanished counts, too."""
    late(world)
    before, after = world.made[-1].before, world.made[-1].after
    name, part = "lake.raw.flights", "flight_date=2013-03-10"
    world.broken["bad"] = [
        replace(failed("bad", ["x.validate(0)"]), before=before, after={**before, name: after[name]})
    ]
    found = failure(world, "M07-reports", f"ingest of 2013-03-10 failed, and yet {name} {part} changed")
    assert found.evidence.partitions == [f"{name} {part}"]
    assert found.evidence.query.startswith(f"batchlab diff {name} --from ")
    gone = {key: one for key, one in before.items() if key != name}
    world.broken["bad"] = [replace(failed("bad", ["x.validate(0)"]), before=before, after=gone)]
    failure(world, "M07-reports", f"failed, and yet {name} flight_date=2013-03-09 changed")


def test_wait_without_a_cap(world: World) -> None:
    """A wait of more than half an hour is no retry; one of exactly that is."""

    def tries(waits: Sequence[float]) -> list[Attempt]:
        found, clock = [Attempt(started=0, finished=1, phase="Failed")], 1.0
        for wait in waits:
            found.append(Attempt(started=clock + wait, finished=clock + wait + 1, phase="Failed"))
            clock += wait + 1
        return found

    world.tries = tries([600, 1200, 2400])
    found = failure(world, "M07-attempts", "transform/curate: a wait of 2400 s")
    assert "cap" in found.hints[1]
    world.tries = tries([450, 900, 1800])
    assert verdict(world, "M07-attempts").outcome == "pass"


def test_needs() -> None:
    """Each of these checks waits for the play that makes its fault."""
    from grader.checks.catalog import CHECKS

    needs: Mapping[str, tuple[str, ...]] = {check.id: check.needs for check in CHECKS}
    assert needs["M07-final"] == ("second", "parameter")
    assert needs["M07-transient"] == ("second", "flaky")
    assert needs["M07-reports"] == ("second", "bad")
