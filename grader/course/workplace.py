"""The learner's copies of labs: made once, never overwritten; what is begun again is kept."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import tomllib

from grader.course.labs import RELEASED, Lab
from grader.sample.course import course
from grader.submission.folder import FILE
from pipelines.local.errors import BadInput

WORK = Path("work")
KEPT = "kept"
"""Folder below the work folder for what was there before a lab was begun again."""
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")


def copy_of(lab: Lab, work: Path = WORK) -> Path:
    """Return where a learner's copy of a lab is, or would be."""
    return work / lab.name


def start(lab: Lab, work: Path = WORK, *, seed: int | None = None, released: Path = RELEASED) -> Path:
    """Copy a lab to the work folder; returns its place. The copy is there as a whole, or not at all.

    Args:
        lab: which.
        work: the learner's work folder; it is made where it is missing.
        seed: the learner's own; None where the course has one for all.
        released: folder of the released labs.

    Raises:
        BadInput: there is a copy already, or none can be made.
    """
    target = copy_of(lab, work)
    if target.exists():
        raise BadInput(
            "is there already: nothing was overwritten", where=str(target),
            remedy=f"go on in it, or begin again with `batchlab reset {lab.name}`, which keeps what is there",
        )  # fmt: skip
    _whole(lab, work, released, seed).rename(target)
    return target


def own_seed(student: str | None) -> int | None:
    """Give a student's own seed; None where the course has one for all.

    Raises:
        BadInput: the course gives each student a seed, and this one has no name.
    """
    ours = course()
    if not ours.per_student:
        return None
    if not student:
        raise BadInput(
            "this course gives each student days of their own", where="--student",
            remedy="give the name under which you hand in: --student NAME, or set BATCHLAB_STUDENT",
        )  # fmt: skip
    return ours.seed_for(student)


def reset(lab: Lab, work: Path = WORK, *, now: datetime, released: Path = RELEASED) -> tuple[Path, Path]:
    """Begin a lab again, with the same seed; what was there is moved, not deleted.

    Args:
        lab: which.
        work: the learner's work folder.
        now: goes into the name of what is kept.
        released: folder of the released labs.

    Returns:
        The new copy, and where the old one is kept.

    Raises:
        BadInput: there is no copy, or the new one cannot be made; then the old one is where it was.
    """
    target = copy_of(lab, work)
    if not target.is_dir():
        raise BadInput("has not been begun", where=str(target), remedy=f"`batchlab start {lab.name}`")
    fresh = _whole(lab, work, released, _seed_of(target / FILE))
    kept = work / KEPT / f"{lab.name}-{now:%Y%m%d-%H%M%S}"
    kept.parent.mkdir(exist_ok=True)
    target.rename(kept)
    fresh.rename(target)
    return target, kept


def _whole(lab: Lab, work: Path, released: Path, seed: int | None) -> Path:
    """Copy a lab beside its place, under a name that nobody takes for it."""
    fresh = work / f".{lab.name}.new"
    try:
        work.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(released / lab.name, fresh, ignore=_NOT_COPIED)
        if seed is not None and (fresh / FILE).is_file():
            _sow(fresh / FILE, seed)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise BadInput(
            f"cannot be written: {error}", where=str(work), remedy="name another folder: --work DIR"
        ) from error
    return fresh


def _sow(manifest: Path, seed: int) -> None:
    """Write the seed below the comment that a manifest begins with: keys of TOML come before its tables."""
    comment, _, rest = manifest.read_text(encoding="utf-8").partition("\n")
    manifest.write_text(
        f"{comment}\n\nseed = {seed}  # draws the days that you are graded on\n{rest}", encoding="utf-8"
    )


def _seed_of(manifest: Path) -> int | None:
    try:
        seed = tomllib.loads(manifest.read_text(encoding="utf-8")).get("seed")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return seed if type(seed) is int else None
