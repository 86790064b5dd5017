"""One call of `batchlab grade`: only one at a time, its verdict kept for hints, progress and the page."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.demo.display import DONE, Display
from grader.demo.journal import only_one
from grader.grading.grade import Graded, Grading
from grader.grading.kept import FOLDER, HISTORY, LAST
from grader.grading.page import report_of
from grader.submission import read, reference, seeded
from pipelines.local.errors import BadInput
from pipelines.local.preload import ForkServer
from pipelines.local.state import StateDir

INSIDE = "grader.grading.inside:grade"
MOST_HEARD = 400
"""Bytes of a line from a box that are shown."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `batchlab grade` was asked.

    Args:
        names: items or checks; none: all.
        folder: the submission; None: the reference.
        faults: with crash and fault plays.
        fresh: play everything.
        autograde: in a box.
        hidden: folder with further checks.
        seed: draws the graded days, whatever the submission says; None: as it says.
    """

    names: tuple[str, ...] = ()
    folder: Path | None = None
    faults: bool = True
    fresh: bool = False
    autograde: bool = False
    hidden: Path | None = None
    seed: int | None = None


def run_grade(options: Options, preload: ForkServer | None = None) -> dict[str, Any]:
    """Grade, keep the verdict, write the page; returns the document.

    Args:
        options: what was asked.
        preload: a Python that has imported the steps' libraries, if there is one already.

    Raises:
        BadInput: the submission cannot be read, or another grading runs here.
    """
    home = StateDir.locate().ensure()
    if options.autograde:
        found = _boxed(home, options)
        keep(home, found["document"], found["hints"])
        return dict(found["document"])
    submission = seeded(reference() if options.folder is None else read(options.folder), options.seed)
    state = grading_state(home, submission.seed)
    display = Display(home.logs / "grade.log")
    try:
        with only_one(state.root / "grade", what="a grading"), display.shown():
            grading = Grading(state=state, display=display, faults=options.faults, fresh=options.fresh, preload=preload)
            graded = grading.grade(submission, options.names)
            page(home, graded)
    finally:
        display.close()
    document, hints = graded.document, {result.check.id: list(result.hints) for result in graded.results}
    del graded
    gc.collect()  # DuckDB complains at exit of what only a cycle of failed checks' frames still holds
    keep(home, document, hints)
    return document


def _boxed(home: StateDir, options: Options) -> dict[str, Any]:
    """Grade in a box, and show its stages; a submission that runs out of time or memory is told as bad input is.

    Raises:
        BadInput: there is no verdict, and why.
    """
    from grader.autograde import CouldNotRun, grade

    if options.folder is None:
        raise BadInput("the reference needs no box", where="--autograde", remedy="name a folder: --submission DIR")
    display = Display(home.logs / "grade.log")
    heard = Heard(display.say)
    try:
        return grade(
            options.folder, options.names, target=INSIDE, hidden=options.hidden, seed=options.seed, heard=heard
        )
    except CouldNotRun as error:
        raise BadInput(f"could not run: {error.reason}", where=str(options.folder), remedy=_end(error.log)) from error
    finally:
        display.close()


class Heard:
    """Picks the stages out of what a grader in a box prints; the rest is for its log.

    Args:
        say: shows a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._rest = b""

    def __call__(self, piece: bytes) -> None:
        """Take the next piece of the output, which may end anywhere."""
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[-MOST_HEARD:]
        for line in lines:
            text = line[:MOST_HEARD].decode(errors="replace").rstrip()
            if text.startswith(DONE) and text.isprintable():
                self._say(text)


def _end(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    return f"the grader's last words: {lines[-1][:200]}" if lines else "the grader said nothing"


def grading_state(home: StateDir, seed: int = 0) -> StateDir:
    """Give the state directory in which submissions are played: apart from the learner's own, and one for each seed."""
    return StateDir(root=home.root / ("grading" if seed == 0 else f"grading-{seed}")).ensure()


def page(home: StateDir, graded: Graded) -> None:
    """Write the page, with the runs, lineage and partitions that the verdict rests on."""
    from grader.report import render

    report = report_of(graded)
    home.report.mkdir(parents=True, exist_ok=True)
    _replace(home.report / "grade.html", render(report))


def keep(home: StateDir, document: Mapping[str, Any], hints: Mapping[str, Sequence[str]]) -> None:
    """Keep the last verdict with all hints, and a line of history for `batchlab progress`."""
    folder = home.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / LAST, json.dumps({"document": document, "hints": hints}))
    home.report.mkdir(parents=True, exist_ok=True)
    _replace(home.report / "grade.json", json.dumps(document, indent=1))
    line = {
        "at": document["gradedAt"],
        "submission": document["submission"],
        "items": {
            name: {"points": one["points"], "max_points": one["max_points"], "outcome": one["outcome"]}
            for name, one in document["items"].items()
        },
    }
    with (folder / HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
