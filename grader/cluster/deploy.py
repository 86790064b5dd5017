"""Bring a cluster to what this checkout says: Flux, images, code, chart, tree."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from grader.cluster import credentials, images, kind, proxy, tree
from grader.cluster.commands import DOCKER, FLUX, KIND, KUBECTL, Kubectl, require, run
from grader.cluster.place import Place, save
from grader.cluster.registry import Registry
from grader.cluster.waiting import LAYERS, look
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

Say = Callable[[str], None]
COMPONENTS = "source-controller,kustomize-controller,helm-controller"
NAMESPACE = "flux-system"
_ANSWERING = 60


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What was pushed: the tree's settings, and the digest of its artifact."""

    settings: Mapping[str, str]
    digest: str


def prepare(state: StateDir, place: Place, *, nodes: int, say: Say) -> Place:
    """Check the tools, make a kind cluster where that is wanted, install Flux; returns the place as it is now.

    Raises:
        BadInput: something is missing or refuses; a second call goes on where this one ended.
    """
    tools = [KUBECTL, FLUX, *((DOCKER, KIND) if place.kind else ()), *(() if place.builder else (DOCKER,))]
    require(list(dict.fromkeys(tools)))
    proxy.check([place.push, *([place.pull] if place.kind else [])])  # an existing cluster's own nodes have their own
    if place.kind:
        kind.check_docker()
        save(state, place)  # from here on there is something that `down` can take away
        say("cluster: making it, or finding it")
        kind.ensure(Path(place.kubeconfig), nodes)
    place.kubectl.reachable()
    registry = Registry(address=place.push)
    deadline = time.monotonic() + (_ANSWERING if place.kind else 5)
    while not registry.answers():
        if time.monotonic() > deadline:
            raise BadInput(
                "the registry does not answer", where=place.push,
                remedy="name one that this machine and the cluster reach: --registry HOST:PORT[=HOST:PORT]",
            )  # fmt: skip
        time.sleep(1)
    if not _has_flux(place.kubectl):
        say("Flux: installing it")
        run(["flux", "install", f"--components={COMPONENTS}", "--timeout=5m"], env=place.kubectl.environment)
        place = replace(place, flux=True)
    save(state, place)
    return place


def push(place: Place, folders: Mapping[str, Path], say: Say, *, apps: Mapping[str, Path] | None = None) -> Pushed:
    """Push images, code, chart and tree, and have Flux look at once.

    Args:
        place: where to.
        folders: folders of code, by their names under `pipelines/`.
        say: told what happens.
        apps: folders of manifests that take the place of those of `cluster/apps`.
    """
    registry = Registry(address=place.push)
    build = images.with_command(place.builder) if place.builder else images.with_docker(registry)
    built = images.ensure(registry, build, say)
    settings = {
        "image": images.push_code(registry, folders),
        "toolsImage": built["tools"],
        "catalogImage": built["catalog"],
        "depsImage": built["deps"],
        "yearShift": tree.year_shift(),
        "chartVersion": tree.push_chart(registry),
    }
    say(f"code: {settings['image']}")
    pushed = push_tree(place, settings, apps=apps)
    say("tree: pushed")
    return pushed


def push_tree(place: Place, settings: Mapping[str, str], *, apps: Mapping[str, Path] | None = None) -> Pushed:
    """Push the tree with some settings, make what it needs beside it, and have Flux look at once.

    Args:
        place: where to.
        settings: values of `settings.yaml`.
        apps: folders of manifests that take the place of those of `cluster/apps`.
    """
    with tempfile.TemporaryDirectory(prefix="batchlab-tree-") as scratch:
        staged = tree.stage(Path(scratch) / "tree", registry=place.pull, settings=settings, apps=apps)
        repository, tag = tree.ARTIFACT
        pushed = run([
            "flux", "push", "artifact", f"oci://{place.push}/{repository}:{tag}", f"--path={staged}", "--source=local",
            f"--revision=local@sha1:{tree.revision(staged)[:40]}", "--insecure-registry",
            "--reproducible", "--output=json",
        ])  # fmt: skip
        credentials.ensure(place.kubectl)
        entry = str(staged / "clusters" / place.overlay)
        place.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=batchlab", "-k", entry)
    _look(place.kubectl)
    return Pushed(settings=settings, digest=str(json.loads(pushed)["digest"]))


def _has_flux(kubectl: Kubectl) -> bool:
    there = {
        each["metadata"]["name"]: (each.get("status") or {}).get("availableReplicas", 0)
        for each in kubectl.items("deployments", "-n", NAMESPACE)
    }
    return all(there.get(name) for name in COMPONENTS.split(","))


def _look(kubectl: Kubectl) -> None:
    """Ask Flux to reconcile now: the source, then every layer."""
    now = f"reconcile.fluxcd.io/requestedAt={datetime.now(timezone.utc).isoformat()}"
    kubectl("annotate", "--overwrite", "-n", NAMESPACE, "ocirepository.source.toolkit.fluxcd.io/cluster", now)
    look(kubectl, *LAYERS)


def urls(place: Place) -> list[tuple[str, str]]:
    """Say where things are, and how they are reached."""
    if place.kind and place.overlay == "local":
        return [
            ("Argo", "http://127.0.0.1:2746"),
            ("Iceberg catalog", "http://127.0.0.1:8181"),
            ("object store", "http://127.0.0.1:7070"),
            ("PostgreSQL", "127.0.0.1:15432"),
            ("Spark history", "http://127.0.0.1:18080"),
            ("Spark UI of a running job", "kubectl -n batch port-forward POD-driver 4040"),
        ]
    argo = "argo-server" if place.overlay == "offline" else "argo-workflows-server"
    return [
        ("Argo", f"kubectl -n argo port-forward service/{argo} 2746, then http://127.0.0.1:2746"),
        ("Iceberg catalog", "kubectl -n platform port-forward service/catalog 8181"),
        ("object store", "kubectl -n platform port-forward service/store 7070"),
        ("PostgreSQL", "kubectl -n platform port-forward service/postgres 15432:5432"),
        ("Spark history", "kubectl -n batch port-forward service/spark-history 18080, then http://127.0.0.1:18080"),
        ("Spark UI of a running job", "kubectl -n batch port-forward POD-driver 4040"),
    ]
