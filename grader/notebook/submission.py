"""Which folder a notebook hands in, and what is in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.notebook.errors import CouldNotGrade

MANIFEST = "submission.toml"
FOLDER = "BATCHLAB_SUBMISSION"
_LEFT_OUT = frozenset({"__pycache__", ".ipynb_checkpoints", ".batchlab", ".git"})
_SUFFIXES = (".ipynb", ".pyc")


def find_submission(here: Path, environment: Mapping[str, str]) -> Path:
    """Find the submission: `BATCHLAB_SUBMISSION`, or the nearest folder upwards that has a `submission.toml`.

    A folder's own `work/` counts as well, for a notebook that lies beside it.

    Raises:
        CouldNotGrade: there is none.
    """
    if given := environment.get(FOLDER):
        folder = Path(given).absolute()
        if not (folder / MANIFEST).is_file():
            raise CouldNotGrade(f"{folder} has no {MANIFEST}", remedy=f"{FOLDER} names the folder to grade")
        return folder
    here = here.absolute()
    for folder in (here, *here.parents):
        for candidate in (folder, folder / "work"):
            if (candidate / MANIFEST).is_file():
                return candidate
    raise CouldNotGrade(
        f"no {MANIFEST} is in {here} or above it", remedy="open the notebook from your own copy of the lab, in work/"
    )


def content_digest(folder: Path) -> str:
    """Hash names and contents of all files but notebooks and what programs leave behind.

    A notebook's text is no part of it: running or annotating a cell does not make a new submission.
    """
    digest = hashlib.sha256()
    for path in _files(folder):
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        mode = b"x" if os.access(path, os.X_OK) else b"-"
        for part in (str(path.relative_to(folder)).encode(errors="surrogateescape"), mode, data):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and name not in links)
        for name in sorted(names + links):
            path = Path(parent) / name
            if not name.endswith(_SUFFIXES) and (path.is_symlink() or path.is_file()):
                yield path
