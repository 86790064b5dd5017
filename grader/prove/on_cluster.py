"""A sample of the proof on a cluster: what fails here must fail there, by the same check, and what passes must pass."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.checks.model import Check
from grader.cluster.grading.grade import AVAILABLE, NEIGHBOURS, ClusterGrading
from grader.cluster.place import Place
from grader.grading.grade import outcomes
from grader.grading.player import Stages
from grader.grading.plays import PLAYS, needed
from grader.prove.cases import CASES
from grader.prove.model import Case
from grader.prove.prove import Verdict, as_intended, checks_for
from grader.submission import read, reference
from grader.submission.export import export
from grader.submission.folder import PIPELINES
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

SAMPLE = (
    "retry-without-limit", "retry-constant", "spark-running-is-done", "spark-name-of-day", "cron-utc-day",
    "cron-overlap", "publish-append-without-key", "publish-written-at", "publish-limited", "publish-merge",
    "publish-steps", "transform-append", "transform-utc-day", "transform-dbt-warns", "transform-delete-insert",
    "ingest-append", "ingest-uuid-column", "ingest-or-true", "ingest-merge",
)  # fmt: skip
"""Mutants and variants, those of later pipelines first: they read what the reference's earlier ones left."""
_PLAYED = frozenset({"first", "second"})
"""Plays of variants: a cluster takes minutes for each."""
DAYS_PLAYED = 1


def sample(names: Sequence[str] = SAMPLE) -> list[Case]:
    """Give the cases of the sample in its order.

    Raises:
        BadInput: there is no case of that name.
    """
    known = {case.id: case for case in CASES}
    for name in names:
        if name not in known:
            raise BadInput(f"there is no mutant or variant {name}", where="CASE", remedy="`batchlab prove --list`")
    return [known[name] for name in names]


@dataclass(frozen=True, kw_only=True)
class ClusterProver:
    """Proves cases on one cluster.

    Args:
        state: state directory.
        place: the cluster.
        display: shows what happens.
    """

    state: StateDir
    place: Place
    display: Stages

    @contextmanager
    def ground(self, cases: Sequence[Case]) -> Iterator[None]:
        """Play the reference's pipelines that the cases read from; everything is put back at the end."""
        grading = ClusterGrading(state=self.state, place=self.place, display=self.display, days=DAYS_PLAYED)
        above = [name for name in PIPELINES if any(name in _above(case) for case in cases)]
        with grading.prepared(reference(), above):
            yield

    def prove(self, case: Case) -> Verdict:
        """Grade one case on prepared ground."""
        begun = time.monotonic()
        grading = ClusterGrading(
            state=self.state, place=self.place, display=self.display, days=DAYS_PLAYED, scope=case.scope, keep=False
        )
        with tempfile.TemporaryDirectory(prefix="batchlab-prove-") as folder:
            source = export(reference(), Path(folder) / "submission")
            case.write(source)
            with grading.graded(read(source), [check.id for check in cluster_checks(case)]) as graded:
                seen = outcomes(graded.results)
                reasons = {result.check.id: result.rationale for result in graded.results}
        right, why = as_intended(case, seen, reasons)
        return Verdict(case=case.id, right=right, outcomes=seen, why=why, seconds=round(time.monotonic() - begun, 1))


def cluster_checks(case: Case) -> list[Check]:
    """Give those of a case's checks that a cluster can answer when it plays one day."""
    there = AVAILABLE - {"empty"}
    found = [check for check in checks_for(case) if set(check.needs) <= there and check.id not in NEIGHBOURS]
    if case.kind == "variant":
        return [check for check in found if {play.name for play in needed(_plays(check))} <= _PLAYED]
    return found


def _plays(check: Check) -> list[str]:
    return [need for need in check.needs if need in PLAYS]


def _above(case: Case) -> tuple[str, ...]:
    """Name the pipelines before the first that is judged, where it is played at all."""
    if not any(_plays(check) for check in cluster_checks(case)):
        return ()
    return PIPELINES[: PIPELINES.index(case.scope[0])]
