"""Digests of immutable data files, kept between commands."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from grader.fingerprint.canonical import VERSION
from grader.fingerprint.digest import Digest


class DigestCache:
    """A SQLite file of digests by data file and schema; a file that is broken or of another format is made anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS digests_v{VERSION} (key TEXT PRIMARY KEY, rows INTEGER, low TEXT, high TEXT)"
        )
        return connection

    def get(self, keys: Iterable[str]) -> dict[str, Digest]:
        """Look up many keys; those that are not there are left out."""
        wanted = list(keys)
        found: dict[str, Digest] = {}
        for start in range(0, len(wanted), 500):
            batch = wanted[start : start + 500]
            marks = ", ".join("?" * len(batch))
            query = f"SELECT key, rows, low, high FROM digests_v{VERSION} WHERE key IN ({marks})"
            for key, rows, low, high in self._connection.execute(query, batch):
                found[key] = Digest(rows=rows, low=int(low, 16), high=int(high, 16))
        return found

    def put(self, digests: Mapping[str, Digest]) -> None:
        """Keep digests, all or none of them."""
        rows = [(key, digest.rows, f"{digest.low:x}", f"{digest.high:x}") for key, digest in digests.items()]
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(f"INSERT OR REPLACE INTO digests_v{VERSION} VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
