"""The webhook receiver: an HTTP server that records every delivery and honours `Idempotency-Key`.

`POST` to any path is a delivery. The first with a key has an effect; repeats are recorded as duplicates without one.
A delivery without a key always has an effect: nobody can tell that it is a repeat.
`GET /deliveries` (`?key=`, `?effect=true|false`) lists them as JSON, `GET /health` answers when it is ready.

`python -m pipelines.local.platform.webhook PORT DATABASE` runs it.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
LARGEST_BODY = 1 << 20
DRAINED = 64 << 20  # bytes read of a body that is too large
_TABLE = """
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, path TEXT NOT NULL, key TEXT,
    effect INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_effect_per_key ON deliveries (key) WHERE effect = 1 AND key IS NOT NULL;
"""


class Deliveries:
    """Deliveries in a SQLite file; a unique index makes sure that two at once with one key have one effect."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLE)

    def record(self, *, path: str, key: str | None, body: str) -> dict[str, Any]:
        """Store one delivery, durable when this returns; the result says whether it had an effect."""
        row = (datetime.now(timezone.utc).isoformat(timespec="microseconds"), path, key)
        with self._open() as connection:
            insert = "INSERT INTO deliveries (received_at, path, key, effect, body) VALUES (?, ?, ?, ?, ?) RETURNING *"
            try:
                found = connection.execute(insert, (*row, 1, body)).fetchone()
            except sqlite3.IntegrityError:
                found = connection.execute(insert, (*row, 0, body)).fetchone()
        return shape(found)

    def list(self, *, key: str | None = None, effect: bool | None = None) -> list[dict[str, Any]]:
        """Return deliveries in order of arrival: id, receivedAt, path, key, effect, body (parsed where it is JSON)."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM deliveries ORDER BY id").fetchall()
        found = [shape(row) for row in rows]
        return [
            one for one in found if (key is None or one["key"] == key) and (effect is None or one["effect"] == effect)
        ]

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30)
        connection.row_factory = sqlite3.Row
        return connection


def shape(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """Give a stored delivery as it is listed."""
    try:
        body = json.loads(row["body"])
    except ValueError:
        body = row["body"]
    return {
        "id": row["id"], "receivedAt": row["received_at"], "path": row["path"], "key": row["key"],
        "effect": bool(row["effect"]), "body": body,
    }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    deliveries: Deliveries

    def do_GET(self) -> None:
        """Answer `/health` and `/deliveries`."""
        url = urlsplit(self.path)
        if url.path == "/health":
            self._answer(HTTPStatus.OK, {"ok": True})
        elif url.path == "/deliveries":
            asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
            effect = {"true": True, "false": False}.get(asked.get("effect", ""))
            self._answer(HTTPStatus.OK, self.deliveries.list(key=asked.get("key"), effect=effect))
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "GET /deliveries or /health, POST anything else"})

    def do_POST(self) -> None:
        """Record a delivery: 201 with an effect, 200 for a duplicate."""
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self._answer(HTTPStatus.LENGTH_REQUIRED, {"error": "Content-Length is required"})
            return
        if not 0 <= length <= LARGEST_BODY:
            self.close_connection = True
            left = min(length, DRAINED)
            while left > 0 and (chunk := self.rfile.read(min(left, 1 << 16))):  # else the client cannot read the answer
                left -= len(chunk)
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"at most {LARGEST_BODY} bytes"})
            return
        body = self.rfile.read(length).decode(errors="replace")
        delivery = self.deliveries.record(
            path=urlsplit(self.path).path, key=self.headers.get("Idempotency-Key") or None, body=body
        )
        self._answer(HTTPStatus.CREATED if delivery["effect"] else HTTPStatus.OK, delivery)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Keep quiet: the deliveries are the record."""

    def _answer(self, status: HTTPStatus, document: Any) -> None:
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


def serve(port: int, database: Path) -> ThreadingHTTPServer:
    """Return a server bound to 127.0.0.1 that records into `database`; port 0 takes any."""
    handler = type("BoundHandler", (Handler,), {"deliveries": Deliveries(database)})
    server = ThreadingHTTPServer((HOST, port), handler)
    server.daemon_threads = True
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
