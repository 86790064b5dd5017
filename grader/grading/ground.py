"""Running workflows of one pipeline in the world, and seeing what each run changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from grader.checks.local import spark_runs
from grader.checks.probe import Run, State
from grader.checks.states import state_of
from grader.fingerprint.lake import Lake
from grader.grading.pipeline import Pipeline
from grader.grading.plays import Play
from grader.grading.world import World
from pipelines.local.assembly import on_platform
from pipelines.local.engine import Engine, Event, Listener, VirtualClock
from pipelines.local.errors import BadInput
from pipelines.local.preload import ForkServer
from pipelines.local.sandbox.isolation import Isolation

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(kw_only=True)
class Ground:
    """Where one play of one pipeline is played.

    Args:
        world: its tables and servers.
        lake: the same tables, to be fingerprinted.
        pipeline: what runs.
        play: which play.
        image: the code image.
        preload: a Python that has imported the steps' libraries.
        say: told in one line what happens.
        instead: values of the ConfigMap `lake` that lead through something that stands before a server.
        isolation: limits of steps, and how strangers' code is kept apart.
    """

    world: World
    lake: Lake
    pipeline: Pipeline
    play: Play
    image: str
    preload: ForkServer
    say: Callable[[str], None] = lambda _: None
    isolation: Isolation | None = None
    instead: dict[str, str] = field(default_factory=dict)
    tag: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(6)))

    def name(self, day: date) -> str:
        """Name the run of a day: new each time, so that no object of an earlier run is met by accident."""
        return f"{self.pipeline.name}-{day:%Y%m%d}-{self.play.name}-{self.tag}"

    @property
    def days(self) -> tuple[date, ...]:
        """The play's days in the order in which they are run."""
        return self.play.dates(self.world.sample.days)

    def state(self) -> State:
        """Look at all tables."""
        return state_of(self.lake)

    @contextmanager
    def engine(self, start: datetime, *, listener: Listener | None = None) -> Iterator[Engine]:
        """Make an engine whose clock starts at a time."""
        engine = on_platform(
            self.world.platform, VirtualClock(start), image=self.image, listener=listener or self._narrate,
            preload=self.preload, instead=self.instead, isolation=self.isolation,
        )  # fmt: skip
        try:
            yield engine
        finally:
            engine.close()

    def execute(
        self,
        engine: Engine,
        workflow: Mapping[str, Any],
        name: str,
        due: datetime,
        change: Callable[[Any], Any] = lambda manifest: manifest,
    ) -> Mapping[str, Any]:
        """Run a workflow to its end; one that is refused before it starts has the phase Error and says why.

        Args:
            engine: runs it.
            workflow: what.
            name: its name.
            due: the time that its schedule is for.
            change: what the play changes of the workflow, and of each template that it may refer to.
        """
        templates = {kind: change(one) for kind, one in self.pipeline.submission.documents.templates.items()}
        try:
            result = engine.run(
                change(workflow), templates=templates, name=name, scheduled_time=due,
                objects=self.pipeline.submission.documents.configmaps,
            )  # fmt: skip
        except BadInput as error:
            return {"name": name, "phase": "Error", "message": f"not started: {error}", "nodes": {}}
        return result.document

    def run_of(
        self, day: date, name: str, document: Mapping[str, Any], before: State, after: State, **more: Any
    ) -> Run:
        """Make the record of a run, with the SparkApplications that it made, before their time to live is over."""
        applications = [asdict(one) for one in spark_runs(self.world.state, {name})]
        facts = {**more.pop("facts", {}), "applications": applications}
        return Run(
            play=self.play.name, ds=day, name=name, document=document, before=before, after=after,
            pipeline=self.pipeline.name, facts=facts, **more,
        )  # fmt: skip

    def _narrate(self, event: Event) -> None:
        if event.node is not None and event.node.get("type") == "Pod" and event.phase == "Running":
            self.say(str(event.node.get("displayName", "")).replace("(0)", ""))


def plain(ground: Ground, facts: Callable[[date, str], Mapping[str, Any]] = lambda *_: {}) -> list[Run]:
    """Run the play's days, one after another or several at once.

    Args:
        ground: where.
        facts: asked, when a run of a day has ended, what else was seen of it.
    """
    days = ground.days
    due = ground.pipeline.due(days)
    start = min(due.values()) + ground.play.late
    with ground.engine(start) as engine:
        if ground.play.parallel == 1:
            return list(_one_by_one(ground, engine, days, due, facts))
        return _at_once(ground, engine, days, due, facts)


def _one_by_one(
    ground: Ground, engine: Engine, days: Sequence[date], due: Mapping[date, datetime], facts: Callable[..., Any]
) -> Iterator[Run]:
    before = ground.state()
    for day in days:
        name = ground.name(day)
        engine.clock.advance_to(due[day] + ground.play.late)  # type: ignore[attr-defined]  # a virtual one
        document = ground.execute(engine, ground.pipeline.workflow(name, day, due[day]), name, due[day])
        after = ground.state()
        yield ground.run_of(day, name, document, before, after, facts=facts(day, name))
        before = after


def _at_once(
    ground: Ground, engine: Engine, days: Sequence[date], due: Mapping[date, datetime], facts: Callable[..., Any]
) -> list[Run]:
    def run(day: date) -> Mapping[str, Any]:
        name = ground.name(day)
        return ground.execute(engine, ground.pipeline.workflow(name, day, due[day]), name, due[day])

    before = ground.state()
    with ThreadPoolExecutor(max_workers=ground.play.parallel) as pool:
        documents = list(pool.map(run, days))
    after = ground.state()
    return [
        ground.run_of(
            day, ground.name(day), document, before, after, beside=tuple(one for one in days if one != day),
            facts=facts(day, ground.name(day)),
        )
        for day, document in zip(days, documents, strict=True)
    ]  # fmt: skip
