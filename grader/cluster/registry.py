"""A container registry over plain HTTP: what is there, and adding one layer or one chart without building anything."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from pipelines.local.errors import BadInput

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
LAYERS = {
    MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    OCI: "application/vnd.oci.image.layer.v1.tar+gzip",
}
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
ACCEPTED = {"Accept": ", ".join((MANIFEST, OCI, *INDEXES))}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATIENCE = 120


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry at `host:port`."""

    address: str

    def answers(self) -> bool:
        """Tell whether it is up."""
        try:
            return requests.get(self._url(""), timeout=5).ok
        except requests.RequestException:
            return False

    def has(self, repository: str, tag: str) -> bool:
        """Tell whether it has an image or artifact."""
        answer = self._ask("HEAD", f"{repository}/manifests/{tag}", headers=ACCEPTED, fine=(404,))
        return bool(answer.ok)

    def append(self, base: tuple[str, str], to: tuple[str, str], layer: bytes) -> None:
        """Make an image of another one and a layer on top of it; nothing of the other is sent again.

        Args:
            base: repository and tag of the image below.
            to: repository and tag of the new one.
            layer: an uncompressed tar archive.
        """
        manifest, kind = self._manifest(*base)
        config = json.loads(self._ask("GET", f"{base[0]}/blobs/{manifest['config']['digest']}").content)
        config["rootfs"]["diff_ids"].append(_digest(layer))
        config.setdefault("history", []).append({"created_by": "batchlab cluster push"})
        for each in manifest["layers"]:
            self._mount(to[0], each["digest"], base[0])
        packed = gzip.compress(layer, compresslevel=6, mtime=0)
        manifest["config"].update(self._upload(to[0], json.dumps(config).encode()))
        manifest["layers"].append({"mediaType": LAYERS[kind], **self._upload(to[0], packed)})
        self._put(to, manifest, kind)

    def push_chart(self, to: tuple[str, str], metadata: Mapping[str, Any], packed: bytes) -> None:
        """Push a packed Helm chart as `helm push` does."""
        config = {"mediaType": CHART_CONFIG, **self._upload(to[0], json.dumps(metadata).encode())}
        layers = [{"mediaType": CHART, **self._upload(to[0], packed)}]
        self._put(to, {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": layers}, OCI)

    def _manifest(self, repository: str, reference: str) -> tuple[dict[str, Any], str]:
        """Fetch an image's manifest; of an index, that of this machine's architecture."""
        answer = self._ask("GET", f"{repository}/manifests/{reference}", headers=ACCEPTED)
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        document: dict[str, Any] = answer.json()
        if kind not in INDEXES:
            return document, kind
        wanted = ARCHITECTURES.get(platform.machine(), platform.machine())
        for each in document["manifests"]:
            if each.get("platform", {}).get("architecture") == wanted:
                return self._manifest(repository, each["digest"])
        raise BadInput(f"has no image for {wanted}", where=f"{self.address}/{repository}:{reference}")

    def _mount(self, repository: str, digest: str, source: str) -> None:
        """Have a blob of one repository in another as well."""
        if repository == source or self._ask("HEAD", f"{repository}/blobs/{digest}", fine=(404,)).ok:
            return
        answer = self._ask("POST", f"{repository}/blobs/uploads/?mount={digest}&from={source}")
        if answer.status_code != 201:  # this registry does not lend: fetch and send
            self._upload(repository, self._ask("GET", f"{source}/blobs/{digest}").content)

    def _upload(self, repository: str, content: bytes) -> dict[str, Any]:
        digest = _digest(content)
        if not self._ask("HEAD", f"{repository}/blobs/{digest}", fine=(404,)).ok:
            place = self._ask("POST", f"{repository}/blobs/uploads/").headers["Location"]
            place = place if place.startswith("http") else f"http://{self.address}{place}"
            sign = "&" if "?" in place else "?"
            self._sent("PUT", f"{place}{sign}digest={digest}", data=content)
        return {"digest": digest, "size": len(content)}

    def _put(self, to: tuple[str, str], manifest: Mapping[str, Any], kind: str) -> None:
        self._ask("PUT", f"{to[0]}/manifests/{to[1]}", data=json.dumps(manifest), headers={"Content-Type": kind})

    def _ask(self, verb: str, path: str, *, fine: tuple[int, ...] = (), **more: Any) -> requests.Response:
        return self._sent(verb, self._url(path), fine=fine, **more)

    def _sent(self, verb: str, url: str, *, fine: tuple[int, ...] = (), **more: Any) -> requests.Response:
        try:
            answer = requests.request(verb, url, timeout=PATIENCE, **more)
        except requests.RequestException as error:
            raise BadInput(
                f"the registry does not answer: {type(error).__name__}", where=self.address,
                remedy="`batchlab cluster status` says whether it runs",
            ) from error  # fmt: skip
        if not answer.ok and answer.status_code not in fine:
            raise BadInput(f"{verb} answers {answer.status_code}: {answer.text[:200]}", where=url)
        return answer

    def _url(self, path: str) -> str:
        return f"http://{self.address}/v2/{path}"


def archive(files: Iterable[tuple[str, bytes, bool]]) -> bytes:
    """Pack files so that the same ones give the same bytes.

    Args:
        files: name, content, and whether it may be executed.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, executable in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755 if executable else 0o644
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
