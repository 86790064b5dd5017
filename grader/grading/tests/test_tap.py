"""What stands before a server: forwards unchanged, answers in its place, or cuts."""

from __future__ import annotations

import http.client
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from grader.grading.tap import HOST, Answer, Cut, Passing, http_tap, postgres_tap

LIMIT = 30
ALL_BYTES = bytes(range(256))


class Echo(BaseHTTPRequestHandler):
    """Answers 207 with what it got."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, self.headers.get("Idempotency-Key"), body))  # type: ignore[attr-defined]
        self.send_response(207)
        self.send_header("X-Got", self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that echoes, and remembers."""
    found = ThreadingHTTPServer((HOST, 0), Echo)
    found.daemon_threads = True
    found.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()


def address(server: ThreadingHTTPServer) -> str:
    """Its address, with a path."""
    return f"http://{HOST}:{server.server_address[1]}/hook"


def send(
    url: str, method: str = "POST", path: str = "", body: bytes = b"", **headers: str
) -> tuple[int, str | None, bytes]:
    """Send one request on a connection of its own: status, header X-Got, body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=LIMIT)
    try:
        connection.request(method, path or parts.path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("X-Got"), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_http_passes_unchanged(server: ThreadingHTTPServer, method: str) -> None:
    """Method, path with query, headers and every byte of the body arrive, and so does the answer."""
    with http_tap(address(server)) as url:
        assert urlsplit(url).path == "/hook"
        found = send(url, method, "/v1/a%20b?x=1&y=", ALL_BYTES, **{"Idempotency-Key": "k"})
    assert found == (207, "/v1/a%20b?x=1&y=", b"" if method == "HEAD" else ALL_BYTES)
    assert server.seen == [(method, "/v1/a%20b?x=1&y=", "k", ALL_BYTES)]  # type: ignore[attr-defined]


def test_http_keeps_a_connection(server: ThreadingHTTPServer) -> None:
    """Several requests may come on one connection, an empty body among them."""
    with http_tap(address(server)) as url:
        connection = http.client.HTTPConnection(HOST, urlsplit(url).port or 0, timeout=LIMIT)
        for body in (b"one", b"", b"three"):
            connection.request("POST", "/x", body=body)
            assert connection.getresponse().read() == body
        connection.close()


def test_http_before_answers(server: ThreadingHTTPServer) -> None:
    """An answer from before goes to the client; the server never hears of the request."""
    heard: list[Passing] = []

    def before(passing: Passing) -> Answer | None:
        heard.append(passing)
        return Answer(status=503, headers=(("X-Got", "tap"),), body=b"later") if len(heard) == 1 else None

    with http_tap(address(server), before=before) as url:
        assert send(url, body=b"a", **{"Idempotency-Key": "k"}) == (503, "tap", b"later")
        assert send(url, body=b"a") == (207, "/hook", b"a")
    assert len(server.seen) == 1  # type: ignore[attr-defined]
    assert (heard[0].method, heard[0].path, heard[0].body) == ("POST", "/hook", b"a")
    assert heard[0].headers["Idempotency-Key"] == "k"


def test_http_before_cuts(server: ThreadingHTTPServer) -> None:
    """A request that is cut before reaches nobody, and its client gets no answer; the next one passes."""
    cuts = iter([True, False])

    def before(_: Passing) -> None:
        if next(cuts):
            raise Cut

    with http_tap(address(server), before=before) as url:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            send(url, body=b"lost")
        assert send(url, body=b"kept")[0] == 207
    assert [one[3] for one in server.seen] == [b"kept"]  # type: ignore[attr-defined]


def test_http_after_cuts(server: ThreadingHTTPServer) -> None:
    """A request that is cut after has had its effect, and its client does not know."""

    def after(passing: Passing) -> None:
        if passing.body == b"cut":
            raise Cut

    with http_tap(address(server), after=after) as url:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            send(url, body=b"cut")
        assert send(url, body=b"whole") == (207, "/hook", b"whole")
    assert [one[3] for one in server.seen] == [b"cut", b"whole"]  # type: ignore[attr-defined]


def test_http_at_once(server: ThreadingHTTPServer) -> None:
    """Requests do not wait for each other: all are seen before the first is forwarded."""
    together = threading.Barrier(4, timeout=LIMIT)

    def before(_: Passing) -> None:
        together.wait()

    with http_tap(address(server), before=before) as url, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: send(url, body=b"%d" % number), range(4)))
    assert [one[2] for one in found] == [b"0", b"1", b"2", b"3"]


def test_http_without_a_server() -> None:
    """Where nothing listens, the client's connection is closed, as it would be without the tap."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with http_tap(f"http://{HOST}:{port}/") as url, pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        send(url)


def test_http_is_over_with_its_block(server: ThreadingHTTPServer) -> None:
    """After the block nobody listens any more."""
    with http_tap(address(server)) as url:
        pass
    with pytest.raises(ConnectionError):
        send(url)


class Bytes(socketserver.ThreadingTCPServer):
    """Answers each line with `ok` and the line, and remembers what came."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.seen: list[bytes] = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler) -> None:  # noqa: N805 - the server is self
                for line in handler.rfile:
                    self.seen.append(line)
                    handler.wfile.write(b"ok " + line)

        super().__init__((HOST, 0), Handler)


@pytest.fixture
def database() -> Iterator[Bytes]:
    """A server that speaks bytes."""
    found = Bytes()
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield found
    finally:
        found.shutdown()
        found.server_close()


class Client:
    """A client of it, through a tap."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=LIMIT)
        self.file = self.socket.makefile("rb")

    def ask(self, line: bytes) -> bytes:
        """Send a line; the answer, empty where the connection was closed."""
        try:
            self.socket.sendall(line)
            return self.file.readline()
        except ConnectionError:
            return b""

    def close(self) -> None:
        """Hang up."""
        self.file.close()
        self.socket.close()


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Closes the clients."""
    with ExitStack() as stack:
        yield stack


def client(clients: ExitStack, port: int) -> Client:
    """Connect."""
    found = Client(port)
    clients.callback(found.close)
    return found


@pytest.mark.parametrize(
    "word", [b"COMMIT", b"Commit", b"commit;", b"BEGIN; COMMIT WORK ;", b"READ COMMITTED", b"SELECT 1"]
)
def test_postgres_passes_unchanged(database: Bytes, clients: ExitStack, word: bytes) -> None:
    """Bytes pass both ways; hooks see the COMMIT, before and after, and nothing else."""
    seen: list[str] = []
    port = database.server_address[1]
    query = b"Q\x00\x00\x00\x20" + word + b"\x00\n"
    with postgres_tap(port, before=lambda _: seen.append("before"), after=lambda _: seen.append("after")) as tap:
        one = client(clients, tap)
        line = ALL_BYTES.replace(b"\n", b"") + b"\n"
        assert one.ask(line) == b"ok " + line
        assert seen == []
        assert one.ask(query) == b"ok " + query
        assert seen == (["before", "after"] if word.lower().rstrip(b" ;work").endswith(b"commit") else [])
        assert one.ask(b"next\n") == b"ok next\n"
    assert database.seen == [line, query, b"next\n"]


def test_postgres_before_cuts(database: Bytes, clients: ExitStack) -> None:
    """A COMMIT that is cut before never arrives; the client loses its connection, others keep theirs."""

    def before(_: Passing) -> None:
        raise Cut

    with postgres_tap(database.server_address[1], before=before) as tap:
        one, other = client(clients, tap), client(clients, tap)
        assert one.ask(b"insert\n") == b"ok insert\n"
        assert one.ask(b"COMMIT\x00\n") == b""
        assert other.ask(b"select\n") == b"ok select\n"
    assert database.seen == [b"insert\n", b"select\n"]


def test_postgres_after_cuts(database: Bytes, clients: ExitStack) -> None:
    """A COMMIT that is cut after has arrived, and the client does not know."""

    def after(_: Passing) -> None:
        raise Cut

    with postgres_tap(database.server_address[1], after=after) as tap:
        one = client(clients, tap)
        assert one.ask(b"COMMIT\x00\n") == b""
    assert database.seen == [b"COMMIT\x00\n"]


def test_postgres_at_once(database: Bytes, clients: ExitStack) -> None:
    """Several clients are served at once: all their COMMITs are seen before the first is forwarded."""
    together = threading.Barrier(3, timeout=LIMIT)
    with postgres_tap(database.server_address[1], before=lambda _: void(together.wait())) as tap:
        several = [client(clients, tap) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(lambda one: one.ask(b"COMMIT\x00\n"), several)) == [b"ok COMMIT\x00\n"] * 3


def test_postgres_without_a_server(clients: ExitStack) -> None:
    """Where nothing listens, the client's connection is closed."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with postgres_tap(port) as tap:
        assert client(clients, tap).ask(b"hello\n") == b""


def test_postgres_is_over_with_its_block(database: Bytes) -> None:
    """After the block nobody listens any more."""
    with postgres_tap(database.server_address[1]) as tap:
        pass
    with pytest.raises(ConnectionError):
        Client(tap)


def void(_: object) -> None:
    """Forget a value."""


def test_answers_have_json() -> None:
    """An answer's body is bytes, as JSON has them."""
    assert json.loads(Answer(status=503, body=b'{"error": "try again"}').body)["error"] == "try again"
