"""One call of `batchlab grade --target cluster`: only one at a time, its verdict kept as a local one is."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from grader.cluster.grading.grade import ClusterGrading
from grader.cluster.place import load
from grader.demo.display import Display
from grader.demo.journal import only_one
from grader.grading.plays import DAYS
from grader.grading.session import keep, page
from grader.submission import read, reference, seeded
from pipelines.local.state import StateDir


def run_on_cluster(
    names: tuple[str, ...], folder: Path | None, *, faults: bool = True, days: int = len(DAYS), seed: int | None = None
) -> dict[str, Any]:
    """Grade on this checkout's cluster, keep the verdict, write the page; returns the document.

    Args:
        names: items or checks; none: all.
        folder: the submission; None: the reference.
        faults: with the plays that inject a fault.
        days: how many of the graded days are played.
        seed: draws the graded days, whatever the submission says.

    Raises:
        BadInput: there is no cluster, the submission cannot be read, or another grading runs here.
    """
    home = StateDir.locate().ensure()
    place = load(home)
    submission = seeded(reference() if folder is None else read(folder), seed)
    display = Display(home.logs / "grade.log")
    try:
        with only_one(home.root / "cluster" / "grade", what="a grading on the cluster"), display.shown():
            grading = ClusterGrading(state=home, place=place, display=display, faults=faults, days=days)
            with grading.graded(submission, names) as graded:
                page(home, graded)
                document = graded.document
                hints = {result.check.id: list(result.hints) for result in graded.results}
            del graded
            gc.collect()  # DuckDB complains at exit of what only a cycle of failed checks' frames still holds
    finally:
        display.close()
    keep(home, document, hints)
    return document
