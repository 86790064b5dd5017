"""Which cluster this checkout uses, and how it is reached: `up` keeps it in the state directory."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.cluster.commands import Kubectl
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cluster and the registry beside it.

    Args:
        kind: whether it is ours, made by kind.
        kubeconfig: file that names the cluster; empty: KUBECONFIG, or the user's own.
        push: the registry as this machine reaches it, `host:port`.
        pull: the registry as the cluster reaches it.
        overlay: folder of `clusters/` that is applied: `local`, `offline`.
        builder: program that builds and pushes an image, `PROGRAM NAME:TAG CONTEXT`; empty: Docker.
        flux: whether `up` installed Flux, and `down` takes it away.
    """

    kind: bool
    kubeconfig: str
    push: str
    pull: str
    overlay: str = "local"
    builder: str = ""
    flux: bool = False

    @property
    def kubectl(self) -> Kubectl:
        """The cluster."""
        return Kubectl(kubeconfig=self.kubeconfig)


def path(state: StateDir) -> Path:
    """Return where it is kept."""
    return state.root / "cluster" / "place.json"


def load(state: StateDir) -> Place:
    """Read which cluster is used.

    Raises:
        BadInput: there is none.
    """
    place = find(state)
    if place is None:
        raise BadInput("this checkout has no cluster", remedy="make one with `batchlab cluster up`")
    return place


def find(state: StateDir) -> Place | None:
    """Read which cluster is used; None where there is none."""
    try:
        return Place(**json.loads(path(state).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"cannot be read: {error}", where=str(path(state)), remedy="remove it and run `up` again"
        ) from error


def choose(state: StateDir, *, existing: bool, registry: str | None, overlay: str | None, builder: str | None) -> Place:
    """Decide which cluster is meant: the one of before, unless the options say another.

    Args:
        state: where the one of before is kept.
        existing: not one of kind.
        registry: `HOST:PORT`, or `HERE=THERE`; None: as before.
        overlay: folder of `clusters/`; None: as before.
        builder: program that builds images; None: as before.

    Raises:
        BadInput: the options contradict each other, or what was there before.
    """
    known = find(state)
    if known is not None and known.kind == existing:
        other = "an existing one" if existing else "a kind cluster"
        raise BadInput(
            f"this checkout has a cluster, and you ask for {other}", remedy="`batchlab cluster down` first",
        )  # fmt: skip
    if not existing:
        if registry or overlay == "offline":
            raise BadInput("--registry and the overlay offline are for an existing cluster", remedy="add --existing")
        file = str(state.root / "cluster" / "kubeconfig")
        return known or Place(kind=True, kubeconfig=file, push="127.0.0.1:5001", pull="kind-registry:5000")
    if registry:
        push, _, pull = registry.partition("=")
    elif known is not None:
        push, pull = known.push, known.pull
    else:
        raise BadInput("an existing cluster needs a registry", where="--registry", remedy="--registry HOST:PORT")
    program = builder if builder is not None else known.builder if known else ""
    if program:
        _runs(program)
    return Place(
        kind=False, push=push, pull=pull or push, builder=program, flux=known.flux if known else False,
        kubeconfig=os.environ.get("KUBECONFIG") or (known.kubeconfig if known else ""),
        overlay=overlay or (known.overlay if known else "local"),
    )  # fmt: skip


def save(state: StateDir, place: Place) -> None:
    """Keep it."""
    file = path(state)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".new")
    part.write_text(json.dumps(asdict(place), indent=1), encoding="utf-8")
    part.replace(file)


def _runs(command: str) -> None:
    """Refuse a command, as one writes it at a shell, whose program is not there."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"is no command: {error}", where=f"--builder {command}") from None
    if not words or shutil.which(words[0]) is None:
        remedy = "a path with a space in it needs quotation marks of its own" if len(words) > 1 else ""
        raise BadInput("there is no such program", where=f"--builder {command}", remedy=remedy)
