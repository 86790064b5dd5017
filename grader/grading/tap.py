"""What stands before a server on loopback, sees what passes, and can fail it: HTTP, and PostgreSQL's protocol."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOST = "127.0.0.1"
_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}
_TIMEOUT = 120
COMMIT = re.compile(rb"commit(?:\s+(?:work|transaction))?\s*;?\s*\x00", re.IGNORECASE)
"""The end of a query's text in PostgreSQL's protocol, as a simple query or to be parsed."""


@dataclass(frozen=True, kw_only=True)
class Passing:
    """A request on its way.

    Args:
        method: `POST`; `COMMIT` for PostgreSQL.
        path: path and query.
        headers: as the client sent them.
        body: what it sent.
    """

    method: str
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer to a client."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Cut(Exception):  # noqa: N818 - it is what happens to the connection
    """Raised by a hook: the client gets no answer, its connection is closed."""


Before = Callable[[Passing], Answer | None]
After = Callable[[Passing], None]


def _pass(_: Passing) -> None:
    return None


@contextmanager
def http_tap(target: str, *, before: Before = _pass, after: After = _pass) -> Iterator[str]:
    """Stand before an HTTP server for the time of a `with` block.

    Args:
        target: its address, with a path or without.
        before: sees a request before it is forwarded; an answer that it gives is sent instead. It may raise `Cut`.
        after: sees a request that was answered, before the answer goes to the client. It may raise `Cut`.

    Yields:
        The address to give to clients in place of `target`.
    """
    url = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):
                super().handle_one_request()

        def _relay(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            passing = Passing(
                method=self.command, path=self.path, headers=dict(self.headers), body=self.rfile.read(length)
            )
            try:
                answer = before(passing)
                if answer is None:
                    answer = _forward(url.hostname or HOST, url.port or 80, passing)
                    after(passing)
            except (Cut, OSError, http.client.HTTPException):
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _relay  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}{url.path}"
    finally:
        server.shutdown()
        server.server_close()


def _forward(host: str, port: int, passing: Passing) -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        headers = {name: value for name, value in passing.headers.items() if name.lower() not in _HOP}
        connection.request(passing.method, passing.path, body=passing.body or None, headers=headers)
        response = connection.getresponse()
        kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _HOP)
        return Answer(status=response.status, headers=kept, body=response.read())
    finally:
        connection.close()


@contextmanager
def postgres_tap(port: int, *, before: After = _pass, after: After = _pass) -> Iterator[int]:
    """Stand before a PostgreSQL server on loopback for the time of a `with` block; hooks see each COMMIT.

    Args:
        port: the server's.
        before: called before a COMMIT is forwarded; may raise `Cut`.
        after: called when the server has answered it, before the client hears; may raise `Cut`.

    Yields:
        The port to give to clients.
    """
    listener = socket.create_server((HOST, 0))
    over = threading.Event()

    def accept() -> None:
        while not over.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_serve, args=(client, port, before, after), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(client: socket.socket, port: int, before: After, after: After) -> None:
    try:
        server = socket.create_connection((HOST, port))
    except OSError:
        client.close()
        return
    committing = threading.Event()
    passing = Passing(method="COMMIT")

    def answers() -> None:
        try:
            while data := server.recv(1 << 16):
                if committing.is_set():
                    committing.clear()
                    after(passing)
                client.sendall(data)
        except (Cut, OSError):
            pass
        _close(client, server)

    threading.Thread(target=answers, daemon=True).start()
    try:
        while data := client.recv(1 << 16):
            if COMMIT.search(data):
                before(passing)
                committing.set()
            server.sendall(data)
    except (Cut, OSError):
        pass
    _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
