"""Plays what checks need: what was played before with the same code, manifests and inputs is not repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from grader.checks.probe import Run, State
from grader.data.states import LATE
from grader.fingerprint.lake import Lake
from grader.grading import crash, flaky, gate, parameter
from grader.grading.ground import Ground, plain
from grader.grading.pipeline import Pipeline
from grader.grading.plays import PLAYS, Play, needed, upstream_of
from grader.grading.record import Record, Records, key_of
from grader.grading.watch import announced
from grader.grading.world import Moment, World, joined
from grader.oracle.tables import TABLES
from grader.submission import Submission
from grader.submission.folder import PIPELINES
from pipelines.local.platform import Snapshot
from pipelines.local.preload import ForkServer
from pipelines.local.sandbox.isolation import Isolation


class Stages(Protocol):
    """Shows stages, each with what it does at the moment."""

    def stage(self, title: str) -> AbstractContextManager[None]:
        """Show a stage while a `with` block does it."""
        ...

    def now(self, text: str) -> None:
        """Say what the present stage does."""
        ...


KINDS: Mapping[str, Callable[[Ground], list[Run]]] = {
    "plain": plain, "parameter": parameter.play, "gate": gate.play, "flaky": flaky.play, "crash": crash.play,
}  # fmt: skip


@dataclass(kw_only=True)
class Player:
    """Plays one submission.

    Args:
        world: where.
        lake: its tables.
        submission: what is played.
        code: its image.
        preload: a Python that has imported the steps' libraries.
        records: what was played before.
        display: shows what happens.
        isolation: limits of steps, and how strangers' code is kept apart.
        again: how many plays were taken from records.
    """

    world: World
    lake: Lake
    submission: Submission
    code: Snapshot
    preload: ForkServer
    records: Records
    display: Stages
    isolation: Isolation | None = None
    again: int = 0
    played: dict[tuple[str, str], Record] = field(default_factory=dict)
    _source: str = ""

    def pipeline(self, name: str) -> Pipeline:
        """Give a pipeline with the objects that its runs see."""
        objects = self.world.platform.objects(image=self.code.image)
        return Pipeline(name=name, submission=self.submission, objects=objects)

    def play(self, pipelines: Sequence[str], plays: Sequence[str]) -> list[Record]:
        """Play some plays of some pipelines, with everything that they go on from and read.

        Returns:
            The records of what was asked for, in the order of pipelines, then plays.
        """
        wanted = needed(plays)
        return [
            self._record(pipeline, play)
            for pipeline in PIPELINES
            if pipeline in pipelines
            for play in wanted
            if pipeline in play.pipelines
        ]

    def leave(self, pipelines: Sequence[str]) -> None:
        """Put the world to where the last of the plays that must succeed left it, for checks to look at."""
        last = {one: record for (one, play), record in self.played.items() if not PLAYS[play].fault}
        upto = max((PIPELINES.index(one) for one in pipelines), default=-1)
        self.world.restore(joined(*(last[one].moment for one in PIPELINES[: upto + 1] if one in last)))
        self._switch(LATE)

    def _record(self, pipeline: str, play: Play) -> Record:
        known = self.played.get((pipeline, play.name))
        if known is None:
            known = self.played[pipeline, play.name] = self._look_up_or_play(pipeline, play)
        return known

    def _look_up_or_play(self, pipeline: str, play: Play) -> Record:
        before = self._record(pipeline, PLAYS[play.after]) if play.after else None
        upstream = [self._record(one, PLAYS[other]) for one, other in upstream_of(pipeline, play)]
        key = key_of(
            pipeline, self.pipeline(pipeline).identity(), asdict(play), before.tag if before else "",
            [_contents(record) for record in upstream],
        )  # fmt: skip
        found = self.records.get(key)
        if found is not None and self.world.holds(found.moment):
            self.again += 1
            return found
        with self.display.stage(f"{pipeline}: {play.title}"):
            record = self._play(key, pipeline, play, before, upstream)
        self.records.put(record)
        return record

    def _play(self, key: str, pipeline: str, play: Play, before: Record | None, upstream: Sequence[Record]) -> Record:
        begun = time.monotonic()
        above = joined(*(record.moment for record in upstream))
        given = joined(above, before.moment if before else Moment())
        self.world.restore(given)
        self._switch(play.source)
        events = self._event_files()
        ground = Ground(
            world=self.world, lake=self.lake, pipeline=self.pipeline(pipeline), play=play, image=self.code.image,
            preload=self.preload, say=self.display.now, isolation=self.isolation,
        )  # fmt: skip
        watched = play.kind == "plain" and pipeline == "publish"
        runs = announced(ground, plain) if watched else KINDS[play.kind](ground)
        return Record(
            key=key, tag=ground.tag, pipeline=pipeline, play=play.name, runs=runs,
            moment=self._own(key, given, above, before.moment if before else Moment()),
            events=sorted(self._event_files() - events), seconds=round(time.monotonic() - begun, 3),
        )  # fmt: skip

    def _own(self, key: str, given: Moment, above: Moment, mine: Moment) -> Moment:
        """Keep what the pipeline itself owns now: its earlier tables, and those that this play made or changed."""
        now = self.world.capture(key)
        tables = {name: row for name, row in now.tables.items() if name in mine.tables or row != given.tables.get(name)}
        return Moment(tables=tables, reporting=now.reporting, deliveries=now.deliveries[len(above.deliveries) :])

    def _switch(self, source: str) -> None:
        if source != self._source:
            self.world.source.switch(source)
            self._source = source

    def _event_files(self) -> set[str]:
        folder = self.world.state.lineage
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _contents(record: Record) -> Any:
    """Give the content of the tables that a pipeline left: what a later one can see of it."""
    state: State = record.runs[-1].after if record.runs else {}
    names = [table.name for table in TABLES if table.pipeline == record.pipeline]
    return {
        name: {part: (digest.rows, digest.hash) for part, digest in state[name].partitions.items()}
        for name in names
        if name in state
    }
