"""What is pushed: the Flux tree with this push's settings, and the chart with its version."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

import grader
from grader.cluster.registry import Registry, archive

CLUSTER = Path(grader.__file__).parent.parent / "cluster"
FOLDERS = ("clusters", "infra", "apps")
"""Parts of the folder that Flux reads."""
REGISTRY = "kind-registry:5000"
"""The registry's name in the tree's files."""
SETTINGS = Path("clusters/local/settings.yaml")
ARTIFACT = ("batchlab/cluster", "local")
CHART = "charts/data-tier"
DATA_YEAR = 2013


def stage(folder: Path, *, registry: str, settings: Mapping[str, str], apps: Mapping[str, Path] | None = None) -> Path:
    """Write the tree as it is pushed.

    Args:
        folder: an empty folder.
        registry: where the cluster reaches the registry, `host:port`.
        settings: what takes the place of the values in `settings.yaml`.
        apps: pipelines whose manifests, a file or a folder, take the place of those of `cluster/apps`.
    """
    for name in FOLDERS:
        shutil.copytree(CLUSTER / name, folder / name)
    for name, path in (apps or {}).items():
        _replace(folder / "apps", name, path)
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if REGISTRY in text:
            path.write_text(text.replace(REGISTRY, registry), encoding="utf-8")
    path = folder / SETTINGS
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["data"].update(settings)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return folder


def _replace(folder: Path, name: str, given: Path) -> None:
    """Have one pipeline's manifests be others, and the kustomization name them."""
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir()
    files = sorted(given.glob("*.yaml")) if given.is_dir() else [given]
    files = [path for path in files if path.name != "kustomization.yaml"]
    for path in files:
        shutil.copy2(path, folder / name / path.name)
    kustomization = folder / "kustomization.yaml"
    document = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    others = [each for each in document["resources"] if not each.startswith(f"{name}/")]
    document["resources"] = [*(f"{name}/{path.name}" for path in files), *others]
    kustomization.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def year_shift(now: datetime | None = None) -> str:
    """Count the years from the cluster's clock back to the data's."""
    return str(DATA_YEAR - (now or datetime.now(timezone.utc)).year)


def revision(folder: Path) -> str:
    """Hash a tree."""
    total = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        total.update(
            f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return total.hexdigest()


def push_chart(registry: Registry, folder: Path = CLUSTER / "data-tier") -> str:
    """Push the chart; returns its version, which is its own and the hash of what is in it."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    metadata: dict[str, Any] = yaml.safe_load(files["Chart.yaml"])
    metadata["version"] = f"{metadata['version']}-h{_hash(files)}"
    if not registry.has(CHART, metadata["version"]):
        files["Chart.yaml"] = yaml.safe_dump(metadata, sort_keys=False).encode()
        packed = archive((f"{metadata['name']}/{name}", content, False) for name, content in files.items())
        registry.push_chart((CHART, metadata["version"]), metadata, gzip.compress(packed, mtime=0))
    return str(metadata["version"])


def _hash(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()[:10]
