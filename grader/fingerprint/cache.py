"""Digests of immutable data files, and lists of files in immutable manifests, kept between commands."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from grader.fingerprint.canonical import VERSION
from grader.fingerprint.digest import Digest

FORMAT = re.sub(r"\W", "_", f"{VERSION}_duckdb_{duckdb.__version__}")
"""What digests depend on besides the data: the format's version, and DuckDB's, whose hash may change with it."""

_BATCH = 500


class DigestCache:
    """A SQLite file of digests by data file and schema; a file that is broken or of another format is made anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open()

    def get(self, keys: Iterable[str]) -> dict[str, Digest]:
        """Look up many keys; those that are not there are left out."""
        rows = self._select(f"SELECT key, rows, low, high FROM digests_v{FORMAT}", keys)
        return {key: Digest(rows=count, low=int(low, 16), high=int(high, 16)) for key, count, low, high in rows}

    def put(self, digests: Mapping[str, Digest]) -> None:
        """Keep digests, all or none of them."""
        rows = [(key, digest.rows, f"{digest.low:x}", f"{digest.high:x}") for key, digest in digests.items()]
        self._insert(f"INSERT OR REPLACE INTO digests_v{FORMAT} VALUES (?, ?, ?, ?)", rows)

    def manifests(self, keys: Iterable[str]) -> dict[str, str]:
        """Look up what `put_manifests` kept; keys that are not there are left out."""
        return dict(self._select(f"SELECT key, files FROM manifests_v{FORMAT}", keys))

    def put_manifests(self, files: Mapping[str, str]) -> None:
        """Keep the list of files of each manifest, all or none of them."""
        self._insert(f"INSERT OR REPLACE INTO manifests_v{FORMAT} VALUES (?, ?)", list(files.items()))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            return self._anew(error)

    def _anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        """Replace a file that is broken; one that is locked, or a full disk, is another matter."""
        if isinstance(error, sqlite3.OperationalError):
            raise error
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")  # a commit waits for no disk, and a crash breaks nothing
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS digests_v{FORMAT} (key TEXT PRIMARY KEY, rows INTEGER, low TEXT, high TEXT)"
        )
        connection.execute(f"CREATE TABLE IF NOT EXISTS manifests_v{FORMAT} (key TEXT PRIMARY KEY, files TEXT)")
        return connection

    def _select(self, query: str, keys: Iterable[str]) -> list[Any]:
        wanted = list(keys)
        found: list[Any] = []
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            marks = ", ".join("?" * len(batch))
            try:
                found += self._connection.execute(f"{query} WHERE key IN ({marks})", batch)
            except sqlite3.DatabaseError as error:
                self._connection.close()
                self._connection = self._anew(error)
                return []
        return found

    def _insert(self, query: str, rows: list[Any]) -> None:
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(query, rows)
