"""The run store: one SQLite file per state directory; every change is one transaction, so a kill leaves it whole."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.local.engine.nodes import Node
from pipelines.local.errors import BadInput

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  name TEXT PRIMARY KEY, number INTEGER UNIQUE, phase TEXT NOT NULL, document TEXT NOT NULL, status TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodes (
  run TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (run, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pods (
  run TEXT NOT NULL, node TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (run, node)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS locks (
  lock TEXT NOT NULL, holder TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (lock, holder)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
  lock TEXT NOT NULL, holder TEXT NOT NULL, run TEXT NOT NULL, priority INTEGER NOT NULL, created TEXT NOT NULL,
  PRIMARY KEY (lock, holder)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memo (
  cache TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (cache, key)
) WITHOUT ROWID;
"""
_BUSY_SECONDS = 30


class Store:
    """Runs, nodes, pods, custom-resource objects, locks and memoized outputs. Safe for threads and processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._local = threading.local()
        try:
            self._connection().executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise BadInput(
                f"the run store cannot be used: {error}", where=str(path), remedy="move the file away to start afresh"
            ) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run several writes as one; nested use joins the outer transaction."""
        connection = self._connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read rows."""
        return self._connection().execute(sql, values).fetchall()

    # -- runs

    def create_run(self, name: str, document: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
        """Add a run; False if one of that name exists."""
        with self.transaction() as connection:
            done = connection.execute(
                "INSERT OR IGNORE INTO runs SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, ? FROM runs",
                (name, status.get("phase", ""), json.dumps(document), json.dumps(status)),
            )
            return done.rowcount == 1

    def save_run(self, name: str, status: Mapping[str, Any], nodes: Iterable[tuple[int, Node]]) -> None:
        """Store a run's status and the nodes that changed, at once."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE runs SET phase = ?, status = ? WHERE name = ?",
                (status.get("phase", ""), json.dumps(status), name),
            )
            connection.executemany(
                "INSERT INTO nodes VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document",
                [(name, node.id, number, json.dumps(node.to_dict())) for number, node in nodes],
            )

    def load_run(self, name: str) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]] | None:
        """Return a run's document, status and nodes in order of creation; None if there is no such run."""
        found = self.rows("SELECT document, status FROM runs WHERE name = ?", name)
        if not found:
            return None
        nodes = self.rows("SELECT document FROM nodes WHERE run = ? ORDER BY number", name)
        return json.loads(found[0][0]), json.loads(found[0][1]), [json.loads(row[0]) for row in nodes]

    def run_names(self) -> list[str]:
        """Return the names of all runs, oldest first."""
        return [row[0] for row in self.rows("SELECT name FROM runs ORDER BY number")]

    def run_states(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and status of all runs, oldest first."""
        return [
            (name, json.loads(status)) for name, status in self.rows("SELECT name, status FROM runs ORDER BY number")
        ]

    def delete_run(self, name: str) -> None:
        """Forget a run."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE name = ?", (name,))
            for table in ("nodes", "pods", "locks", "queue"):
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (name,))

    # -- pods

    def save_pod(self, run: str, node: str, document: Mapping[str, Any]) -> None:
        """Store what is known of a node's pod."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO pods VALUES (?, ?, ?)", (run, node, json.dumps(document)))

    def load_pods(self, run: str) -> dict[str, dict[str, Any]]:
        """Return the pods of a run by node id."""
        return {
            node: json.loads(text) for node, text in self.rows("SELECT node, document FROM pods WHERE run = ?", run)
        }

    # -- memoized outputs

    def load_memo(self, cache: str, key: str) -> dict[str, Any] | None:
        """Return an entry of a memoization cache."""
        found = self.rows("SELECT document FROM memo WHERE cache = ? AND key = ?", cache, key)
        entry: dict[str, Any] | None = json.loads(found[0][0]) if found else None
        return entry

    def save_memo(self, cache: str, key: str, entry: Mapping[str, Any]) -> None:
        """Store an entry of a memoization cache."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO memo VALUES (?, ?, ?)", (cache, key, json.dumps(entry)))
