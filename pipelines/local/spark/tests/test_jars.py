"""The lock of jars, and what happens when the repository cannot be had or lies."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.spark import jars


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and jgo settings whose only repository is a local server that has one wrong jar for all."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.endswith(".jar") else 404)
            self.end_headers()
            if self.path.endswith(".jar"):
                self.wfile.write(b"not a jar")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / ".config").mkdir()
    settings = tmp_path / ".config" / "jgo.conf"
    settings.write_text(f"[repositories]\nlocal = http://127.0.0.1:{server.server_address[1]}\n")
    yield settings
    server.shutdown()
    server.server_close()


def test_lock_is_complete() -> None:
    """Every wanted coordinate is locked, each jar with a hash, and no file name is used for two jars."""
    for name, wanted in jars.WANTED.items():
        locked = jars.locked(name)
        assert {jar.coordinates for jar in locked} >= set(wanted)
        assert len({jar.path for jar in locked}) == len(locked)
        assert all(len(jar.sha256) == 64 for jar in locked)
    assert "//" not in jars.LOCK.read_text()


def test_wrong_content_is_refused(empty_cache: Path) -> None:
    """A jar whose hash is not the locked one never gets into the cache."""
    with pytest.raises(BadInput, match=r"not the locked one.*mirror"):
        jars.fetch()
    assert not list(jars.folder().glob("*.jar"))


def test_unreachable_repository_is_told(empty_cache: Path) -> None:
    """Without the network the message says so and what to do."""
    empty_cache.write_text("[repositories]\nlocal = http://127.0.0.1:9\n")
    with pytest.raises(BadInput, match=r"cannot be fetched.*check the network"):
        jars.fetch()
