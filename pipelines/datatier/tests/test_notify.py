"""Webhook calls with an idempotency key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pipelines.datatier.errors import JobError
from pipelines.datatier.notify import main, post


class _Receiver(HTTPServer):
    answer = 201
    heard: list[tuple[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.headers["Idempotency-Key"], json.loads(body)))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    """A server that remembers what it was told."""
    server = _Receiver(("127.0.0.1", 0), _Handler)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _url(server: _Receiver) -> str:
    return f"http://127.0.0.1:{server.server_port}/deliveries"


def test_key_and_body_arrive(receiver: _Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is a header, the body JSON."""
    monkeypatch.setenv("WEBHOOK_URL", _url(receiver))
    main(["--ds", "2013-03-09", "--key", "alert:w:Failed", "--body", '{"status": "Failed"}'])
    assert receiver.heard == [("alert:w:Failed", {"status": "Failed"})]


def test_a_refusal_fails_the_step(receiver: _Receiver) -> None:
    """A retry may help: exit code 1, and the answer is told."""
    receiver.answer = 503
    with pytest.raises(JobError, match="answered 503 to k"):
        post(_url(receiver), "k", {})


def test_no_receiver_fails_the_step(receiver: _Receiver) -> None:
    """Nobody there is told as such."""
    receiver.server_close()
    with pytest.raises(JobError, match="cannot be reached"):
        post(_url(receiver), "k", {})
