"""Grade each case, compare the verdict with what it must be, and keep it, so that a proof can be interrupted."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.checks.catalog import CHECKS
from grader.checks.model import PIPELINES, Check
from grader.grading.grade import Grading, outcomes
from grader.grading.player import Stages
from grader.grading.plays import PLAYS, needed
from grader.grading.session import grading_state
from grader.grading.world import World
from grader.prove.model import Case
from grader.sample import drawn
from grader.submission import read, reference, seeded
from grader.submission.export import export
from pipelines.local.errors import BadInput
from pipelines.local.platform.code import tree_files, tree_hash
from pipelines.local.preload import ForkServer
from pipelines.local.state import StateDir

KEPT = "prove"
JUDGING = ("checks", "data", "fingerprint", "flux", "grading", "lineage", "oracle", "sample", "submission")
"""The parts of the grader that a verdict depends on."""
MOST_RECORDS = 2000
"""Plays that are kept, so that a proof repeated after a change of the checks plays nothing again."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the grader made of a case.

    Args:
        case: its id.
        right: whether that is what it must make of it.
        outcomes: by check.
        why: rationale of the intended check, or of the false alarm.
        seconds: how long it took.
    """

    case: str
    right: bool
    outcomes: Mapping[str, str]
    why: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Prover:
    """Proves cases in one grading state directory.

    Args:
        home: state directory; the proof's own parts of it are `grading` and `prove`.
        display: shows what happens.
        preload: a Python that has imported the steps' libraries.
        fresh: prove again what was proven for the same content.
        repeat: how often each case is graded, with every play of its scope played anew; verdicts that differ are wrong.
        seed: draws the graded days.
    """

    home: StateDir
    display: Stages
    preload: ForkServer
    fresh: bool = False
    repeat: int = 1
    seed: int = 0

    def prove(self, cases: Iterable[Case], told: Callable[[Case, Verdict], None]) -> list[Verdict]:
        """Prove cases; what was proven with the same grader and the same solution is not proven again."""
        found = []
        for case in cases:
            with tempfile.TemporaryDirectory(prefix="batchlab-prove-") as folder:
                source = export(reference(), Path(folder) / "submission")
                case.write(source)
                key = _key(case, source, self.seed)
                verdict = None if self.fresh or self.repeat > 1 else self._known(key)
                if verdict is None:
                    verdict = self._steady(case, source)
                    self._keep(key, verdict)
            told(case, verdict)
            found.append(verdict)
        gc.collect()  # DuckDB complains at exit of what only a cycle of failed checks' frames still holds
        return found

    def _steady(self, case: Case, source: Path) -> Verdict:
        """Grade as often as asked; the verdict is the first, unless another one differs."""
        verdicts = [self._judge(case, source) for _ in range(self.repeat)]
        other = next((one for one in verdicts if one.outcomes != verdicts[0].outcomes), None)
        if other is None:
            return verdicts[0]
        changed = [name for name in verdicts[0].outcomes if other.outcomes.get(name) != verdicts[0].outcomes[name]]
        return replace(verdicts[0], right=False, why=f"graded {self.repeat} times, {', '.join(changed)} differ")

    def _judge(self, case: Case, source: Path) -> Verdict:
        begun = time.monotonic()
        names = [check.id for check in checks_for(case)]
        grading = Grading(
            state=self._world.state.ensure(), display=self.display, scope=case.scope, preload=self.preload,
            fresh=self.repeat > 1, world=self._world, most_records=MOST_RECORDS,
        )  # fmt: skip
        try:
            graded = grading.grade(seeded(read(source), self.seed), names)
        except BadInput as error:
            return Verdict(case=case.id, right=False, outcomes={}, why=f"could not be graded: {error}",
                           seconds=round(time.monotonic() - begun, 1))  # fmt: skip
        seen = outcomes(graded.results)
        reasons = {result.check.id: result.rationale for result in graded.results}
        graded.probe.lake.con.close()
        right, why = as_intended(case, seen, reasons)
        return Verdict(case=case.id, right=right, outcomes=seen, why=why, seconds=round(time.monotonic() - begun, 1))

    @cached_property
    def _world(self) -> World:
        """The sandbox that all cases are played in."""
        return World(grading_state(self.home, self.seed), drawn(self.seed))

    def _path(self, key: str) -> Path:
        return self.home.root / KEPT / f"{key}.json"

    def _known(self, key: str) -> Verdict | None:
        try:
            return Verdict(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _keep(self, key: str, verdict: Verdict) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(verdict)), encoding="utf-8")
        new.replace(path)


def as_intended(case: Case, seen: Mapping[str, str], reasons: Mapping[str, str]) -> tuple[bool, str]:
    """Tell whether a verdict is what a case must get, and what it rests on; a check that breaks is never intended.

    Args:
        case: a mutant or a variant.
        seen: outcomes by check.
        reasons: what each check said.
    """
    if broken := [name for name, outcome in seen.items() if outcome == "error"]:
        return False, f"{broken[0]}: {reasons[broken[0]]}"
    if case.kind == "mutant":
        return seen.get(case.check) == "fail", reasons.get(case.check, "was not judged")
    wrong = [name for name, outcome in seen.items() if outcome != "pass"]
    return not wrong, "; ".join(f"{name}: {reasons[name]}" for name in wrong[:3])


def checks_for(case: Case) -> list[Check]:
    """Give the checks that judge a case: those that need all pipelines only where all are judged.

    A mutant is judged by the intended check, and by all that need no more plays than that one does.
    """
    whole = set(case.scope) == set(PIPELINES)
    played = _plays(next(check for check in CHECKS if check.id == case.check)) if case.kind == "mutant" else None
    return [
        check
        for check in CHECKS
        if check.id == case.check
        or (
            set(check.pipelines) & set(case.scope)
            and (whole or not check.whole)
            and check.item not in {"M01", "M04"}
            and (played is None or _plays(check) <= played)
        )
    ]


def _plays(check: Check) -> set[str]:
    """Name the plays that a check needs, and its other needs, which no play gives."""
    plays = {play.name for play in needed(need for need in check.needs if need in PLAYS)}
    return plays | {need for need in check.needs if need not in PLAYS}


def shard(cases: Sequence[Case], number: int, of: int) -> list[Case]:
    """Give the cases of a shard, counted from 1: every `of`-th, so that each shard has some of each kind."""
    return [case for index, case in enumerate(cases) if index % of == number - 1]


def _key(case: Case, source: Path, seed: int) -> str:
    """Hash the solution, what must become of it, and all that judges and runs it: a proof is void when that changes.

    The Flux tree is no part of it: no case changes it, and the checks that look at it (M01, M04) are not asked.
    """
    import grader
    from pipelines import local

    root = Path(grader.__file__).parent
    judging = {part: root / part for part in JUDGING} | {"local": Path(local.__file__).parent}
    files = [one for one in tree_files(judging) if "/tests/" not in one[0]]
    files += [one for one in tree_files({"submission": source}) if not one[1].is_relative_to(source / "flux")]
    return f"{case.id}-{case.check or 'passes'}-{tree_hash(files)}{f'-{seed}' if seed else ''}"


def forget(home: StateDir) -> None:
    """Drop what was proven before."""
    shutil.rmtree(home.root / KEPT, ignore_errors=True)


def document(verdicts: Sequence[Verdict], cases: Sequence[Case]) -> dict[str, Any]:
    """Put a proof into one JSON document."""
    mutants = {case.id for case in cases if case.kind == "mutant"}
    killed = [one for one in verdicts if one.case in mutants and one.right]
    alarms = [one for one in verdicts if one.case not in mutants and not one.right]
    return {
        "mutants": len([one for one in verdicts if one.case in mutants]),
        "killed": len(killed),
        "variants": len([one for one in verdicts if one.case not in mutants]),
        "falseAlarms": len(alarms),
        "cases": [asdict(one) for one in verdicts],
    }
