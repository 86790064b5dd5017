"""A registry that is only HTTP: layers are added and charts pushed as its interface asks."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from grader.cluster.registry import CHART, MANIFEST, OCI, Registry, archive
from pipelines.local.errors import BadInput


def digest(content: bytes) -> str:
    """Name a blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Store(BaseHTTPRequestHandler):
    """The part of a registry's interface that is used, in memory."""

    blobs: dict[tuple[str, str], bytes]
    manifests: dict[tuple[str, str], tuple[str, bytes]]
    lends = True

    def _parts(self) -> tuple[str, str, str]:
        path = self.path.removeprefix("/v2/").partition("?")[0]
        for kind in ("manifests", "blobs"):
            repository, found, name = path.partition(f"/{kind}/")
            if found:
                return repository, kind, name
        return "", "", ""

    def _reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        repository, kind, name = self._parts()
        if not kind:
            self._reply(200)
        elif kind == "manifests" and (repository, name) in self.manifests:
            media, body = self.manifests[repository, name]
            self._reply(200, body, Content_Type=media)
        elif kind == "blobs" and (repository, name) in self.blobs:
            self._reply(200, self.blobs[repository, name])
        else:
            self._reply(404)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def do_POST(self) -> None:
        repository, _, _ = self._parts()
        if "mount=" in self.path and self.lends:
            asked = dict(one.split("=") for one in self.path.partition("?")[2].split("&"))
            self.blobs[repository, asked["mount"]] = self.blobs[asked["from"], asked["mount"]]
            self._reply(201)
        else:
            self._reply(202, Location=f"/v2/{repository}/blobs/uploads/1?state=x")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        repository, kind, name = self._parts()
        if kind == "manifests":
            self.manifests[repository, name] = (self.headers["Content-Type"], body)
        else:
            named = self.path.rpartition("digest=")[2]
            assert named == digest(body)
            self.blobs[repository, named] = body
        self._reply(201)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def store() -> Iterator[tuple[Registry, type[Store]]]:
    """Serve an empty registry."""
    handler = type("Mine", (Store,), {"blobs": {}, "manifests": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Registry(address=f"127.0.0.1:{server.server_port}"), handler
    server.shutdown()


def image(handler: type[Store], repository: str, tag: str) -> dict[str, Any]:
    """Put an image of one layer into the registry."""
    layer = gzip.compress(b"below")
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [digest(b"below")]}}).encode()
    for blob in (layer, config):
        handler.blobs[repository, digest(blob)] = blob
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "c", "digest": digest(config), "size": len(config)},
        "layers": [{"mediaType": "l", "digest": digest(layer), "size": len(layer)}],
    }
    handler.manifests[repository, tag] = (MANIFEST, json.dumps(manifest).encode())
    return manifest


@pytest.mark.parametrize("lends", [True, False])
def test_a_layer_is_put_on_top(store: tuple[Registry, type[Store]], lends: bool) -> None:
    """The new image has the old layers and the new one, by their right digests, whether the registry mounts or not."""
    registry, handler = store
    handler.lends = lends
    below = image(handler, "b/deps", "1")
    layer = archive([("opt/x.py", b"print()", False)])
    registry.append(("b/deps", "1"), ("b/work", "2"), layer)
    media, body = handler.manifests["b/work", "2"]
    made = json.loads(body)
    assert media == MANIFEST
    assert made["layers"][0] == below["layers"][0]
    added = handler.blobs["b/work", made["layers"][1]["digest"]]
    assert gzip.decompress(added) == layer
    assert made["layers"][1]["size"] == len(added)
    config = json.loads(handler.blobs["b/work", made["config"]["digest"]])
    assert config["rootfs"]["diff_ids"] == [digest(b"below"), digest(layer)]
    assert ("b/work", below["layers"][0]["digest"]) in handler.blobs


def test_an_index_leads_to_this_machines_image(store: tuple[Registry, type[Store]], monkeypatch: Any) -> None:
    """Of several platforms, the machine's own is taken; without it the message names it."""
    registry, handler = store
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    image(handler, "b/deps", "sha256:arm")
    entry = {"digest": "sha256:arm", "platform": {"architecture": "arm64"}}
    kind = "application/vnd.oci.image.index.v1+json"
    handler.manifests["b/deps", "1"] = (kind, json.dumps({"manifests": [entry]}).encode())
    registry.append(("b/deps", "1"), ("b/work", "2"), b"")
    assert registry.has("b/work", "2")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(BadInput, match="no image for amd64"):
        registry.append(("b/deps", "1"), ("b/work", "3"), b"")


def test_a_chart_is_what_helm_would_push(store: tuple[Registry, type[Store]]) -> None:
    """Config and layer have Helm's media types."""
    registry, handler = store
    registry.push_chart(("charts/c", "1.0.0"), {"name": "c"}, b"packed")
    made = json.loads(handler.manifests["charts/c", "1.0.0"][1])
    assert handler.manifests["charts/c", "1.0.0"][0] == OCI
    assert made["layers"][0]["mediaType"] == CHART
    assert not registry.has("charts/c", "2.0.0")


def test_archives_depend_on_content_only() -> None:
    """The order of the files and the clock change nothing."""
    files = [("b", b"2", True), ("a", b"1", False)]
    assert archive(files) == archive(reversed(files))
    with tarfile.open(fileobj=io.BytesIO(archive(files))) as tar:
        assert [(one.name, one.mode, one.mtime, one.uid) for one in tar] == [("a", 0o644, 0, 0), ("b", 0o755, 0, 0)]


def test_a_registry_that_is_not_there(store: tuple[Registry, type[Store]]) -> None:
    """It is said with its address and what to do; a refusal with its status."""
    registry, _ = store
    gone = Registry(address="127.0.0.1:9")
    assert registry.answers()
    assert not gone.answers()
    with pytest.raises(BadInput, match=r"127\.0\.0\.1:9: the registry does not answer"):
        gone.has("x", "1")
    with pytest.raises(BadInput, match="answers 404"):
        registry.append(("none", "1"), ("x", "1"), b"")
