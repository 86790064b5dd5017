"""Play `parameter`: the logical date is no date; the run must fail at once, for no retry mends it."""

from __future__ import annotations

from grader.checks.probe import Run
from grader.grading.ground import Ground

NO_DATE = "2013-02-30"


def play(ground: Ground) -> list[Run]:
    """Run the pipeline once with a `ds` that no calendar has."""
    (day,) = ground.days
    due = ground.pipeline.due([day])[day]
    before, name = ground.state(), ground.name(day)
    with ground.engine(due + ground.play.late) as engine:
        document = ground.execute(engine, ground.pipeline.workflow_with(name, NO_DATE), name, due)
    return [ground.run_of(day, name, document, before, ground.state(), facts={"ds": NO_DATE})]
