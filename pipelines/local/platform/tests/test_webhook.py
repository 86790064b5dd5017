"""Deliveries: one effect per idempotency key, whatever happens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pipelines.local.platform.webhook import serve


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A receiver that listens."""
    server = serve(0, tmp_path / "webhook.db")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def post(url: str, body: str, key: str | None = None) -> tuple[int, dict[str, object]]:
    """Deliver; returns status and answer."""
    headers = {"Idempotency-Key": key} if key else {}
    with urlopen(Request(f"{url}/deliveries", data=body.encode(), headers=headers)) as answer:
        return answer.status, json.load(answer)


def listed(url: str, query: str = "") -> list[dict[str, object]]:
    """Return the recorded deliveries."""
    with urlopen(f"{url}/deliveries{query}") as answer:
        found: list[dict[str, object]] = json.load(answer)
    return found


def test_repeats_have_no_effect(url: str) -> None:
    """The first delivery with a key has an effect; repeats are recorded as duplicates."""
    assert post(url, '{"rows": 1}', "publish/2013-03-09/abc")[0] == 201
    assert post(url, '{"rows": 1}', "publish/2013-03-09/abc")[0] == 200
    assert post(url, '{"rows": 2}', "publish/2013-03-09/def")[0] == 201
    assert [(one["key"], one["effect"], one["body"]) for one in listed(url)] == [
        ("publish/2013-03-09/abc", True, {"rows": 1}),
        ("publish/2013-03-09/abc", False, {"rows": 1}),
        ("publish/2013-03-09/def", True, {"rows": 2}),
    ]
    assert len(listed(url, "?key=publish/2013-03-09/abc")) == 2
    assert len(listed(url, "?effect=true")) == 2


def test_at_once_is_still_one_effect(url: str) -> None:
    """Deliveries of one key at the same moment have one effect between them."""
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: post(url, "x", "same")[0], range(16)))
    assert statuses == [200] * 15 + [201]


def test_without_a_key_everything_has_an_effect(url: str) -> None:
    """Who sends no key is not protected."""
    assert [post(url, "x")[0], post(url, "x")[0]] == [201, 201]


def test_too_much_is_refused(url: str) -> None:
    """A body beyond the limit is refused, and nothing is recorded."""
    with pytest.raises(HTTPError, match="413"):
        post(url, "x" * ((1 << 20) + 1), "big")
    assert listed(url) == []


def test_effects_outlive_the_receiver(tmp_path: Path) -> None:
    """A receiver that starts again knows what had an effect."""
    for expected in (True, False):
        server = serve(0, tmp_path / "webhook.db")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        assert post(f"http://127.0.0.1:{server.server_address[1]}", "x", "once")[1]["effect"] is expected
        server.shutdown()
        thread.join()
        server.server_close()
