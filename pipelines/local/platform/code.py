"""Snapshots of pipeline code: what a step's image `batchlab/work:<hash>` is made of."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

PARTS = ("datatier", "ingest", "transform", "publish")
IMAGE = "batchlab/work"
CODE_ROOT = "/opt/batchlab"  # where an image has the tree
# Made by tools while they work, or not part of what runs
_LEFT_OUT = frozenset({"__pycache__", "target", "dbt_packages", "logs", ".user.yml", ".ipynb_checkpoints"})


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version of the code; `root` holds `pipelines/…` and stands for `/opt/batchlab` of the image."""

    hash: str
    root: Path

    @property
    def image(self) -> str:
        """The image name that says exactly which code runs."""
        return f"{IMAGE}:{self.hash}"


def snapshot(state: StateDir, *, tree: Path | None = None, replaced: Mapping[str, Path] | None = None) -> Snapshot:
    """Copy the code into the state directory, once per content.

    Args:
        state: where snapshots are kept.
        tree: folder that holds `datatier`, `ingest`…; default: the kit's own `pipelines`.
        replaced: other folders for some of these (a submission's `{"ingest": Path(…)}`), or further ones; a name below
            another (`transform/dbt`) takes that folder's place inside the other.

    Raises:
        BadInput: a folder is missing or cannot be read.
    """
    base = tree or Path(__file__).resolve().parents[2]
    folders = {part: base / part for part in PARTS if (base / part).is_dir()} | dict(replaced or {})
    for name, folder in folders.items():
        if not folder.is_dir():
            raise BadInput("no such code folder", where=f"{name} = {folder}")
    if not folders:
        raise BadInput(f"none of {', '.join(PARTS)} is here", where=str(base))
    files = tree_files(folders)
    digest = tree_hash(files)
    root = state.code / digest
    if not root.is_dir():
        _copy(files, root)
    return Snapshot(hash=digest, root=root)


def tree_files(folders: Mapping[str, Path]) -> list[tuple[str, Path]]:
    """List the files that an image of some folders has, by their names in it, in a fixed order."""
    found: dict[str, Path] = {}
    for name in sorted(folders):  # a folder comes before what replaces a part of it
        prefix = f"pipelines/{name}/"
        found = {one: path for one, path in found.items() if not one.startswith(prefix)}
        found |= {
            f"{prefix}{path.relative_to(folders[name]).as_posix()}": path
            for path in _files(folders[name], "/" not in name)
        }
    return sorted(found.items())


def _files(folder: Path, package: bool) -> Iterator[Path]:
    """Give the files of a folder; the tests of a Python package do not run, those of a dbt project below one do."""
    for current, names, files in os.walk(folder):
        left_out = _LEFT_OUT | ({"tests"} if package and Path(current) == folder else set())
        names[:] = sorted(name for name in names if name not in left_out)
        yield from (Path(current) / file for file in files if file not in _LEFT_OUT and not file.endswith(".pyc"))


def tree_hash(files: Iterable[tuple[str, Path]]) -> str:
    """Hash names, contents and modes: what makes one image differ from another."""
    total = hashlib.sha256()
    for name, path in files:
        total.update(
            f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0{path.stat().st_mode & 0o100:o}\n".encode()
        )
    return total.hexdigest()[:12]


def _copy(files: list[tuple[str, Path]], root: Path) -> None:
    """Build the copy beside its place and move it there, so that a half copy is never taken for a snapshot."""
    new = root.with_name(f".{root.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    (new / "pipelines").mkdir(parents=True)
    (new / "pipelines" / "__init__.py").touch()
    for name, path in files:
        target = new / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    try:
        new.rename(root)
    except OSError:  # another command made the same snapshot meanwhile
        shutil.rmtree(new)
