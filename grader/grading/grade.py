"""Grade a submission: choose the checks, play what they need, judge, and put the verdict into one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pyiceberg.catalog.noop import NoopCatalog

from grader.checks.catalog import CHECKS
from grader.checks.course import Item, items, verdicts
from grader.checks.hidden import load as hidden_checks
from grader.checks.model import Check, Result
from grader.checks.probe import Probe, Run
from grader.checks.runner import run as run_checks
from grader.fingerprint.lake import Lake
from grader.grading.evidence import GradeProbe
from grader.grading.hello import Greeter
from grader.grading.limits import isolation_here
from grader.grading.player import Player, Stages
from grader.grading.plays import PLAYS
from grader.grading.record import Records
from grader.grading.world import World
from grader.sample import drawn
from grader.submission import Submission
from grader.submission.folder import PIPELINES
from pipelines.local.errors import BadInput
from pipelines.local.platform import snapshot
from pipelines.local.preload import LIBRARIES, ForkServer
from pipelines.local.state import StateDir

PRACTICE = (
    "practice: the submission ran as you do, with limits on time, memory and output; this is no proof against cheating"
)
LOCAL = "local"
"""The target that is this machine."""
MOST_RECORDS = 400
"""Plays that are kept: then all are forgotten, with the runs, events and tables that they left."""
_EVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Graded:
    """A graded submission.

    Args:
        document: the verdict, as `batchlab grade --json` prints it.
        results: the verdicts of the checks, in order.
        probe: the evidence they rest on.
        again: plays that were taken from an earlier grading of the same content.
    """

    document: dict[str, Any]
    results: Sequence[Result]
    probe: Probe
    again: int

    @property
    def passed(self) -> bool:
        """Whether all checks passed and nothing was left out."""
        return all(item["outcome"] == "pass" for item in self.document["items"].values())


def choose(names: Iterable[str], *, faults: bool, extra: Sequence[Check] = ()) -> list[Check]:
    """Pick checks by item (`M03`) or id (`M03-keys`), with those that they depend on; all of them without a name.

    Args:
        names: items or ids.
        faults: with the checks that need crash and fault plays.
        extra: hidden checks, chosen as the others are.

    Raises:
        BadInput: there is no such item or check.
    """
    wanted = list(names)
    everything = (*CHECKS, *extra)
    known = {check.id: check for check in everything}
    course = {item.id for item in items()}
    chosen: dict[str, None] = {}
    for name in wanted:
        found = [name] if name in known else [check.id for check in everything if check.item == name]
        if not found and name not in course:
            raise BadInput(
                f"there is no item or check {name}", where="ITEM",
                remedy=f"items are {', '.join(sorted(course))}; checks such as {next(iter(known))}",
            )  # fmt: skip
        chosen |= dict.fromkeys(found)
    queue = list(chosen)
    while queue:
        for name in known[queue.pop()].depends:
            if name not in chosen:
                chosen[name] = None
                queue.append(name)
    return [
        check
        for check in everything
        if (not wanted or check.id in chosen) and (faults or not any(_fault(need) for need in check.needs))
    ]


def _fault(need: str) -> bool:
    return need in PLAYS and PLAYS[need].fault


@dataclass(frozen=True, kw_only=True)
class Grading:
    """How to grade.

    Args:
        state: a state directory that is used for grading only.
        display: shows what happens.
        faults: with the crash and fault plays.
        fresh: play everything, whatever was played before.
        scope: the pipelines that are judged.
        hidden: folder with further checks; None for none.
        mode: what the verdict says of how it came about.
        preload: a Python that has imported the steps' libraries, if there is one already.
        world: the sandbox of this state directory, if there is one already.
        most_records: how many plays are kept.
    """

    state: StateDir
    display: Stages
    faults: bool = True
    fresh: bool = False
    scope: tuple[str, ...] = PIPELINES
    hidden: Path | None = None
    mode: str = PRACTICE
    preload: ForkServer | None = None
    world: World | None = None
    most_records: int = MOST_RECORDS

    def grade(self, submission: Submission, names: Iterable[str] = ()) -> Graded:
        """Grade a submission, or some items or checks of it.

        Raises:
            BadInput: its manifests cannot be read, or the platform cannot be started.
        """
        extra = hidden_checks(self.hidden) if self.hidden is not None else ()
        checks = choose(names, faults=self.faults, extra=extra)
        _ = submission.documents  # what cannot be read is told before anything starts
        plays, flux = needed_plays(checks, self.scope), any("flux" in check.needs for check in checks)
        if not plays and not flux:
            return self._judge(submission, checks, self._still(submission), 0)
        sample = drawn(submission.seed)
        with self._preloaded() as preload:
            world = self.world or World(self.state, sample)
            with self.display.stage("starting the platform"):
                world.start(self.display.now)
            player = self._player(world, submission, preload)
            if player.records.count() > self.most_records:
                world.wipe()
                player.records.clear()
            for pipeline, wanted in plays.items():
                player.play([pipeline], wanted)
            probe = self._probe(player, self._greet(player) if flux else None)
            return self._judge(submission, checks, probe, player.again)

    def _judge(self, submission: Submission, checks: Sequence[Check], probe: GradeProbe, again: int) -> Graded:
        with self.display.stage("checking what they left"):
            results = run_checks(checks, probe, lambda result: self.display.now(result.check.title))
        document = verdict(submission, results, items(), self.mode)
        return Graded(document=document, results=results, probe=probe, again=again)

    @contextmanager
    def _preloaded(self) -> Iterator[ForkServer]:
        """Give the Python with the steps' libraries that there is, or one for the time of a `with` block."""
        if self.preload is not None:
            yield self.preload
            return
        with closing(ForkServer(LIBRARIES)) as preload:
            yield preload

    def _still(self, submission: Submission) -> GradeProbe:
        """Give the evidence of manifests alone: nothing is started for it."""
        world = World(self.state, drawn(submission.seed))
        return GradeProbe(
            state=self.state, platform=world.platform, documents=submission.documents, days=world.sample.days, made=(),
            lake=Lake(catalog=NoopCatalog("none")), begun=_EVER, world=world, records={}, scope=self.scope,
        )  # fmt: skip

    def _player(self, world: World, submission: Submission, preload: ForkServer) -> Player:
        return Player(
            world=world, lake=world.open_lake(cached=not self.fresh), submission=submission, preload=preload,
            display=self.display, code=snapshot(self.state, replaced=submission.folders()),
            records=Records(self.state.root / "records", fresh=(*self.scope, "flux") if self.fresh else ()),
            isolation=isolation_here(),
        )  # fmt: skip

    def _greet(self, player: Player) -> list[Run]:
        with self.display.stage("flux: the tree's own small workloads"):
            return Greeter(
                world=player.world, submission=player.submission, code=player.code, preload=player.preload,
                records=player.records, isolation=player.isolation, say=self.display.now,
            ).runs()  # fmt: skip

    def _probe(self, player: Player, hello: Sequence[Run] | None) -> GradeProbe:
        """Put the world to where the last plays left it, and give the evidence."""
        if player.played:
            player.leave(self.scope)
        return GradeProbe(
            state=self.state, platform=player.world.platform, documents=player.submission.documents,
            days=player.world.sample.days, made=(), lake=player.lake, begun=_EVER, world=player.world,
            records=player.played, scope=self.scope, hello=hello or (),
            flux_root=player.submission.flux if hello is not None else None,
        )  # fmt: skip


def needed_plays(checks: Iterable[Check], scope: Sequence[str]) -> dict[str, list[str]]:
    """Tell which plays of which pipelines some checks look at."""
    found: dict[str, dict[str, None]] = {}
    for check in checks:
        for pipeline in [one for one in scope if one in check.pipelines]:
            for need in check.needs:
                if need in PLAYS and pipeline in PLAYS[need].pipelines:
                    found.setdefault(pipeline, {})[need] = None
    return {pipeline: list(found[pipeline]) for pipeline in PIPELINES if pipeline in found}


def verdict(
    submission: Submission, results: Sequence[Result], course: Sequence[Item], mode: str = PRACTICE, target: str = LOCAL
) -> dict[str, Any]:
    """Put verdicts into the document that JSON, terminal and page show; what was left out scores nothing."""
    judged = {result.check.item for result in results}
    chosen = [item for item in course if item.id in judged]
    found = {name: _brought(dict(one), item, submission, target) for (name, one), item in zip(
        verdicts(results, chosen).items(), chosen, strict=True)}  # fmt: skip
    return {
        "target": target,
        "mode": mode,
        "submission": str(submission.root),
        "sample": {"seed": submission.seed, "days": [str(day) for day in drawn(submission.seed).days]},
        "gradedAt": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "score": round(sum(one["points"] for one in found.values()), 1),
        "max_score": sum(one["max_points"] for one in found.values()),
        "items": found,
    }


def _brought(entry: dict[str, Any], item: Item, submission: Submission, target: str) -> dict[str, Any]:
    """Scale an item's points by how much of what it should show the submission has itself."""
    if item.needs_cluster and target == LOCAL:
        entry["note"] = "the install itself needs a cluster; here the tree was built and checked, and its workloads run"
    lacking = [part for part in item.shows if part not in submission.brought]
    if not lacking:
        return entry
    share = 1 - len(lacking) / len(item.shows)
    entry["points"] = round(entry["points"] * share, 1)
    entry["lacking"] = lacking
    entry["note"] = f"the submission has no {', '.join(lacking)}: taken from the reference, which scores nothing"
    if not share and entry["outcome"] == "pass":
        entry["outcome"] = "blocked"
    return entry


def outcomes(results: Sequence[Result]) -> Mapping[str, str]:
    """Give the outcome of each check by id."""
    return {result.check.id: result.outcome for result in results}
