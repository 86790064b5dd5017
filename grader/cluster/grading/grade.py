"""Grade a submission on a cluster: push it, play what its checks need, judge what it left, put everything back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from grader.checks.catalog import CLUSTER_CHECKS
from grader.checks.course import items
from grader.checks.model import Check
from grader.checks.probe import Run
from grader.checks.runner import run as run_checks
from grader.cluster import deploy, waiting
from grader.cluster.grading.hello import ClusterGreeter
from grader.cluster.grading.installed import installed
from grader.cluster.grading.live import documents
from grader.cluster.grading.pause import paused
from grader.cluster.grading.player import ClusterPlayer, known_runs
from grader.cluster.grading.probe import ClusterProbe
from grader.cluster.grading.site import Site, site
from grader.cluster.place import Place
from grader.cluster.workflows import NAMESPACE
from grader.data.states import LATE
from grader.grading.grade import Graded, choose, needed_plays, verdict
from grader.grading.player import Stages
from grader.grading.plays import DAYS, PLAYS, needed
from grader.sample import drawn
from grader.submission import Submission
from grader.submission.folder import PIPELINES
from pipelines.local.errors import BadInput
from pipelines.local.manifest import Documents
from pipelines.local.state import StateDir

AVAILABLE = frozenset({"first", "second", "replay", "empty", "parameter", "bad", "flux", "cluster"})
"""What a cluster can show. What the local grader does to its own executor (stopping it between two steps, killing it
inside a commit, standing before the webhook) it cannot do to controllers that others use too."""
CLUSTER = "cluster"
"""The target that is a cluster."""
MODE = "cluster: played by the controllers of the cluster; checks that stop or tap the executor are made locally only"
NEIGHBOURS = frozenset({"M09-incremental"})
"""Checks that look at what a run leaves alone, and so need a second day."""
_WAIT = 900.0


@dataclass(frozen=True, kw_only=True)
class ClusterGrading:
    """How to grade on a cluster.

    Args:
        state: state directory; digests of files are cached there.
        place: the cluster.
        display: shows what happens.
        days: how many of the graded days are played, the last ones.
        scope: the pipelines that are judged.
        faults: with the plays that inject a fault.
        keep: put the cluster's tables and source back at the end.
    """

    state: StateDir
    place: Place
    display: Stages
    days: int = len(DAYS)
    scope: tuple[str, ...] = PIPELINES
    faults: bool = True
    keep: bool = True

    @contextmanager
    def graded(self, submission: Submission, names: Iterable[str] = ()) -> Iterator[Graded]:
        """Grade a submission, or some items or checks of it; its tables are there until the `with` block ends.

        Raises:
            BadInput: its manifests cannot be read, or the cluster does not do what it should.
        """
        checks = self.checks(names)
        _ = submission.documents  # what cannot be read is told before anything is pushed
        self.place.kubectl.reachable()
        with self.display.stage("pushing the submission"):
            image = self._push(submission)
        with ExitStack() as stack:
            here = stack.enter_context(site(self.place, self.state, drawn(submission.seed)))
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batchlab-cluster-")))
            live = documents(here.kubectl, submission.documents)
            stack.enter_context(paused(here.kubectl, self.display.now))
            if self.keep and needed_plays(checks, self.scope):
                stack.enter_context(self._kept(here))
            probe = self._play(here, submission, live, checks, image, scratch)
            with self.display.stage("checking what the runs left"):
                results = run_checks(checks, probe, lambda result: self.display.now(result.check.title))
            document = verdict(submission, results, items(), MODE, target=CLUSTER)
            document["runs"] = [self._link(one.run.document, one.run.play) for one in probe.played]
            yield Graded(document=document, results=results, probe=probe, again=0)

    @contextmanager
    def prepared(self, submission: Submission, pipelines: Sequence[str]) -> Iterator[None]:
        """Play some pipelines' first play, from nothing, for what is graded in the `with` block to read from.

        Raises:
            BadInput: one of their runs does not succeed.
        """
        with self.display.stage("pushing what comes before"):
            self._push(submission)
        with (
            site(self.place, self.state, drawn(submission.seed)) as here,
            paused(here.kubectl, self.display.now),
            self._kept(here),
        ):
            here.guard.clear(PIPELINES)
            here.source.prepare()
            player = self._player(here, submission)
            player.play("first", pipelines)
            for one in player.played:
                if one.run.phase != "Succeeded":
                    raise BadInput(f"ended {one.run.phase}: {one.run.document.get('message', '')}", where=one.run.name)
            here.ends.close()  # a grading of its own opens others
            yield

    def checks(self, names: Iterable[str]) -> list[Check]:
        """Pick the checks that a cluster can answer.

        Raises:
            BadInput: there is no such item or check, or it is one that only this machine can answer.
        """
        wanted = list(names)
        found = choose(wanted, faults=True, extra=CLUSTER_CHECKS)
        there = set(AVAILABLE) - (set() if self.days > 1 else {"empty"})
        if not self.faults:
            there -= {name for name, play in PLAYS.items() if play.fault}
        short = frozenset() if self.days > 1 else NEIGHBOURS
        kept = [check for check in found if set(check.needs) <= there and check.id not in short]
        lacking = [check.id for check in found if check.id in wanted and check not in kept]
        if lacking:
            raise BadInput(
                f"a cluster does not show {', '.join(lacking)} in this way of grading", where="ITEM",
                remedy="grade it here: --target local, the default; or with both days, and without --quick",
            )  # fmt: skip
        return kept

    def _push(self, submission: Submission) -> str:
        apps = {name: one.manifest for name, one in submission.pipelines.items() if one.own}
        pushed = deploy.push(self.place, submission.folders(), self.display.now, apps=apps)
        if left := waiting.wait(self.place.kubectl, self.display.now, patience=_WAIT, digest=pushed.digest):
            raise BadInput(
                f"Flux did not apply the submission: {left[0].title}: {left[0].reason}: {left[0].message}",
                remedy="`batchlab cluster status` shows what it waits for",
            )
        return pushed.settings["image"]

    def _player(self, here: Site, submission: Submission) -> ClusterPlayer:
        objects = _objects(here.kubectl.items("configmaps", "-n", NAMESPACE))
        return ClusterPlayer(site=here, submission=submission, objects=objects, days=self.days, say=self.display.now)

    def _play(  # noqa: PLR0917 - what one grading works with
        self, here: Site, submission: Submission, live: Documents, checks: Sequence[Check], image: str, scratch: Path
    ) -> ClusterProbe:
        """Play what the checks need, and give the evidence."""
        begun, player = datetime.now(timezone.utc), self._player(here, submission)
        since = max((int(one["id"]) for one in player.deliveries()), default=0)
        if plays := needed_plays(checks, self.scope):
            here.source.prepare()
            here.guard.clear(self.scope)
            for play in needed(name for names in plays.values() for name in names):
                mine = [one for one in PIPELINES if play in needed(plays.get(one, ()))]
                with self.display.stage(play.title):
                    player.play(play.name, mine)
            player.switch(LATE)
        hello = self._greet(here, submission, image) if any("flux" in check.needs for check in checks) else []
        events = scratch / "events"
        events.mkdir()
        lines = "".join(json.dumps(event) + "\n" for event in player.events())
        (events / "received.ndjson").write_text(lines, encoding="utf-8")
        return ClusterProbe(
            documents=live, objects=player.objects, lake=here.lake,
            days=here.source.days[-self.days :], played=player.played, scope=self.scope,
            installed_now=installed(here.kubectl), flux_root=submission.flux, hello=hello, events=events,
            known=known_runs(here.workflows), begun=begun, since=since, project=submission.dbt, scratch=scratch / "dbt",
        )  # fmt: skip

    def _greet(self, here: Site, submission: Submission, image: str) -> list[Run]:
        with self.display.stage("flux: the tree's own small workloads"):
            return ClusterGreeter(
                workflows=here.workflows, submission=submission, image=image, say=self.display.now
            ).runs()

    @contextmanager
    def _kept(self, here: Site) -> Iterator[None]:
        """Keep what grading changes, and put it back at the end."""
        if here.guard.keep():
            self.display.now("an earlier grading was interrupted: its tables were put back first")
        try:
            yield
        finally:
            with self.display.stage("putting tables and source rows back"):
                here.ends.ensure()
                here.guard.put_back()

    def _link(self, run: Mapping[str, Any], play: str) -> dict[str, str]:
        argo = dict(deploy.urls(self.place))["Argo"].split()[-1]
        return {
            "name": str(run["name"]), "play": play, "phase": str(run.get("phase", "")),
            "url": f"{argo}/workflows/{NAMESPACE}/{run['name']}",
        }  # fmt: skip


def _objects(configmaps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the ConfigMaps as the data's own years have them: checks ask schedules about the days of the data."""
    found = []
    for each in configmaps:
        data = dict(each.get("data") or {})
        if "yearShift" in data:
            data["yearShift"] = "0"
        found.append({**each, "data": data})
    return found
