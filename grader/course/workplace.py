"""The learner's copies of labs: made once, never overwritten; what is begun again is kept."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from grader.course.labs import RELEASED, Lab
from pipelines.local.errors import BadInput

WORK = Path("work")
KEPT = "kept"
"""Folder below the work folder for what was there before a lab was begun again."""
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")


def copy_of(lab: Lab, work: Path = WORK) -> Path:
    """Return where a learner's copy of a lab is, or would be."""
    return work / lab.name


def start(lab: Lab, work: Path = WORK, *, released: Path = RELEASED) -> Path:
    """Copy a lab to the work folder; returns its place. The copy is there as a whole, or not at all.

    Args:
        lab: which.
        work: the learner's work folder; it is made where it is missing.
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
    _whole(lab, work, released).rename(target)
    return target


def reset(lab: Lab, work: Path = WORK, *, now: datetime, released: Path = RELEASED) -> tuple[Path, Path]:
    """Begin a lab again; what was there is moved, not deleted.

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
    fresh = _whole(lab, work, released)
    kept = work / KEPT / f"{lab.name}-{now:%Y%m%d-%H%M%S}"
    kept.parent.mkdir(exist_ok=True)
    target.rename(kept)
    fresh.rename(target)
    return target, kept


def _whole(lab: Lab, work: Path, released: Path) -> Path:
    """Copy a lab beside its place, under a name that nobody takes for it."""
    fresh = work / f".{lab.name}.new"
    try:
        work.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(released / lab.name, fresh, ignore=_NOT_COPIED)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise BadInput(
            f"cannot be written: {error}", where=str(work), remedy="name another folder: --work DIR"
        ) from error
    return fresh
