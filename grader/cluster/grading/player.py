"""The plays on a cluster: real workflows, one play after another, and what was seen of each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import requests

from grader.checks.probe import Run, State
from grader.checks.states import state_of
from grader.cluster.grading.live import Left, collect, document_of
from grader.cluster.grading.probe import Played, kept_reports
from grader.cluster.grading.site import Site
from grader.cluster.workflows import NAMESPACE, Workflows
from grader.grading.parameter import NO_DATE
from grader.grading.pipeline import Pipeline
from grader.grading.plays import PLAYS, Play
from grader.submission import Submission
from pipelines.local.errors import BadInput

PATIENCE = 1800.0
"""Seconds that one workflow may take."""
_ENDING = 300.0
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(kw_only=True)
class ClusterPlayer:
    """Plays one submission that was pushed.

    Args:
        site: the cluster.
        submission: what is played.
        objects: its ConfigMap `lake`, which parameters come from.
        days: how many of the graded days, the last ones.
        say: told in one line what happens.
    """

    site: Site
    submission: Submission
    objects: Sequence[Mapping[str, Any]]
    days: int
    say: Callable[[str], None]
    played: list[Played] = field(default_factory=list)
    tag: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(6)))
    _source: str = ""

    def play(self, name: str, pipelines: Sequence[str]) -> None:
        """Play one play of some pipelines, in the order of the data's way."""
        play = PLAYS[name]
        self.switch(play.source)
        for pipeline in [one for one in pipelines if one in play.pipelines]:
            self._pipeline(pipeline, play)

    def state(self) -> State:
        """Look at all tables."""
        self.site.ends.ensure()
        return state_of(self.site.lake)

    def deliveries(self) -> list[dict[str, Any]]:
        """List the calls that the webhook receiver recorded."""
        return self._received("webhook")

    def events(self) -> list[Any]:
        """List the lineage events that the cluster received."""
        return [one["body"] for one in self._received("lineage")]

    def switch(self, state: str) -> None:
        """Bring the source into a state."""
        if state != self._source:
            self.site.ends.ensure()
            self.site.source.switch(state)
            self._source = state

    def _pipeline(self, name: str, play: Play) -> None:
        pipeline = Pipeline(name=name, submission=self.submission, objects=self.objects)
        days = self._days(play)
        groups = [days] if play.parallel > 1 else [(day,) for day in days]
        for group in groups:
            before = self.state()
            started = {day: self._start(pipeline, play, day) for day in group}
            ended = {day: self._follow(run) for day, run in started.items()}
            after = self.state()
            deliveries = self.deliveries()
            for day in group:
                self._keep(pipeline, play, day, ended[day], before, after, deliveries, group)

    def _days(self, play: Play) -> tuple[date, ...]:
        """The play's days, among those that are played here."""
        graded = self.site.source.days
        return tuple(day for day in play.dates(graded) if day in graded[-self.days :])

    def _start(self, pipeline: Pipeline, play: Play, day: date) -> str | BadInput:
        ds = NO_DATE if play.kind == "parameter" else str(day)
        name = f"{pipeline.name[:20]}-{day:%Y%m%d}-{play.name}-{self.tag}"
        self.say(f"{pipeline.name} of {ds}: {play.title}")
        manifest = pipeline.workflow_with(name, ds)
        manifest["metadata"].setdefault("labels", {})["batchlab/grading"] = self.tag
        try:
            self.site.workflows.create(manifest)
        except BadInput as error:
            return error
        return name

    def _follow(self, started: str | BadInput) -> Mapping[str, Any] | BadInput:
        """Wait for a run's end; one that takes too long is ended, and judged as it is then."""
        if isinstance(started, BadInput):
            return started
        try:
            return self.site.workflows.follow(started, patience=PATIENCE)
        except BadInput as error:
            self.say(f"{error}: it is ended")
            self.site.workflows.terminate(started)
            return self.site.workflows.follow(started, patience=_ENDING)

    def _keep(  # noqa: PLR0917 - what was seen of one run
        self,
        pipeline: Pipeline,
        play: Play,
        day: date,
        ended: Mapping[str, Any] | BadInput,
        before: State,
        after: State,
        deliveries: Sequence[Mapping[str, Any]],
        group: Sequence[date],
    ) -> None:
        if isinstance(ended, BadInput):
            name = f"{pipeline.name}-{day:%Y%m%d}-{play.name}-{self.tag}"
            document: dict[str, Any] = {"name": name, "phase": "Error", "message": f"not started: {ended}", "nodes": {}}
            left = Left(logs={}, applications=())
        else:
            document, left = document_of(ended), collect(self.site.workflows.kubectl, ended)
        facts = {"ds": NO_DATE} if play.kind == "parameter" else {}
        run = Run(
            play=play.name, ds=day, name=str(document["name"]), document=document, before=before, after=after,
            pipeline=pipeline.name, beside=tuple(one for one in group if one != day), facts=facts,
        )  # fmt: skip
        reports = kept_reports(self.site.lake, run.name.replace("-", "_")) if pipeline.name == "publish" else {}
        self.played.append(Played(run=run, left=left, deliveries=deliveries, reports=reports))
        self.say(f"{run.name}: {run.phase}")

    def _received(self, service: str) -> list[dict[str, Any]]:
        self.site.ends.ensure()
        found: list[dict[str, Any]] = requests.get(f"{self.site.ends.url(service)}/deliveries", timeout=60).json()
        return found


def known_runs(workflows: Workflows) -> dict[str, dict[str, Any]]:
    """Give every Workflow of the cluster, oldest first."""
    found = workflows.kubectl.items("workflows.argoproj.io", "-n", NAMESPACE)
    found.sort(key=lambda each: str(each["metadata"]["creationTimestamp"]))
    return {each["metadata"]["name"]: document_of(each) for each in found}
