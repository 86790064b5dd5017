"""The state directory: everything the kit writes, except package caches, is under it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.errors import BadInput

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class StateDir:
    """Paths under one state directory (`.batchlab/`), which belongs to one checkout."""

    root: Path

    @classmethod
    def locate(cls) -> StateDir:
        """Find the state directory: `BATCHLAB_HOME`, else `.batchlab` in the project that holds the current folder."""
        if given := os.environ.get("BATCHLAB_HOME"):
            return cls(root=Path(given).absolute())
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / ".batchlab").is_dir() or (folder / "pipelines" / "local").is_dir():
                return cls(root=folder / ".batchlab")
        return cls(root=here / ".batchlab")

    @property
    def runs_db(self) -> Path:
        """SQLite file that holds every workflow run."""
        return self.root / "runs.db"

    @property
    def steps(self) -> Path:
        """Working folders and logs of steps: `steps/<workflow>/<node id>/`."""
        return self.root / "steps"

    @property
    def platform(self) -> Path:
        """Data and process records of the embedded servers."""
        return self.root / "platform"

    @property
    def warehouse(self) -> Path:
        """Iceberg data and metadata files."""
        return self.root / "warehouse"

    @property
    def lineage(self) -> Path:
        """OpenLineage events, one NDJSON file per step."""
        return self.root / "lineage"

    @property
    def code(self) -> Path:
        """Snapshots of pipeline code, one folder per content hash."""
        return self.root / "code"

    @property
    def cache(self) -> Path:
        """What can be made again: class-data archives, fingerprints of immutable files."""
        return self.root / "cache"

    @property
    def logs(self) -> Path:
        """Log files of commands and servers."""
        return self.root / "logs"

    @property
    def report(self) -> Path:
        """`report.html` and `report.json`."""
        return self.root / "report"

    def ensure(self) -> StateDir:
        """Create the directory, or check that this version can use what is there.

        A directory of another version is moved aside (`.batchlab.v0`), never deleted.

        Raises:
            BadInput: it cannot be written, or a newer kit made it.
        """
        try:
            self._ensure()
        except OSError as error:
            raise BadInput(
                f"the state directory cannot be written: {error.strerror or error}",
                where=str(self.root),
                remedy="free some space, mend its permissions, or set BATCHLAB_HOME to another folder",
            ) from error
        return self

    def _ensure(self) -> None:
        marker = self.root / "version"
        if self.root.is_dir() and any(self.root.iterdir()):
            found = _read_version(marker)
            if found == VERSION:
                self._probe()
                return
            if found > VERSION:
                raise BadInput(
                    f"made by a newer kit (state version {found}, this kit knows {VERSION})",
                    where=str(self.root),
                    remedy="update the kit, or set BATCHLAB_HOME to another folder",
                )
            raise BadInput(
                f"made by an older kit (state version {found}, this kit needs {VERSION})",
                where=str(self.root),
                remedy=f"stop what runs there, then keep it aside: mv {self.root} {self.root}.v{found}",
            )
        self.root.mkdir(parents=True, exist_ok=True)
        new = marker.with_name("version.new")
        new.write_text(f"{VERSION}\n")
        new.replace(marker)

    def _probe(self) -> None:
        """Write and remove a page, so that a full or read-only disk is told before any work starts."""
        probe = self.root / f".probe-{os.getpid()}"
        try:
            probe.write_bytes(b"\0" * 4096)
        finally:
            probe.unlink(missing_ok=True)


def _read_version(marker: Path) -> int:
    try:
        return int(marker.read_text())
    except (FileNotFoundError, ValueError):
        return 0
