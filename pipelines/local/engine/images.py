"""Which image names can run on this machine, and how: there are no containers, only interpreters and folders."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image as this machine runs it.

    `entrypoint` is what runs when a container has no `command`; `default_args` when it has no `args` either.
    `env` is added below the manifest's own; `path` goes in front of PATH.
    `workdir` is where it starts.
    `mounts` maps a folder inside the image to a local one that stands for it (`/opt/batchlab` → `<state>/code/X`).
    """

    name: str
    entrypoint: tuple[str, ...] = ()
    default_args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    mounts: Mapping[str, Path] = field(default_factory=dict)
    workdir: str = "/"

    def local_path(self, inside: str) -> Path | None:
        """Map a path inside the image (of `local:///opt/batchlab/x.py`) to the local file, if it has one."""
        for prefix, folder in self.mounts.items():
            if inside == prefix or inside.startswith(prefix.rstrip("/") + "/"):
                return folder / inside[len(prefix) :].lstrip("/")
        return None


class ImageTable:
    """The images that this machine can stand in for, by name without tag or by full name."""

    def __init__(self, images: Mapping[str, Image] | None = None) -> None:
        self._images = dict(_known() if images is None else images)

    def find(self, name: str) -> Image | None:
        """Return the image of this name: an entry of exactly this name, else of its repository without the tag."""
        for candidate in (name, _short(name), _repository(name)):
            if candidate in self._images:
                return replace(self._images[candidate], name=name)
        return None

    def names(self) -> list[str]:
        """Return the names of all images, sorted."""
        return sorted(self._images)

    def with_images(self, images: Mapping[str, Image]) -> ImageTable:
        """Return a table that also has (or has instead) these images."""
        return ImageTable({**self._images, **images})


def _repository(name: str) -> str:
    """Return an image's short name without tag and digest."""
    head, slash, last = _short(name.partition("@")[0]).rpartition("/")
    return head + slash + last.partition(":")[0]


def _short(name: str) -> str:
    """Return an image's name without `docker.io/library/`."""
    for prefix in ("docker.io/", "index.docker.io/", "registry-1.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name


def _known() -> dict[str, Image]:
    python = Path(sys.executable).parent
    shims = Path(__file__).parent / "shims"
    shell = Image(name="", default_args=("sh",))
    argosay = Image(name="", entrypoint=("/argosay",), path=(shims,), mounts={"/argosay": shims / "argosay"})
    cowsay = Image(name="", default_args=("sh",), path=(shims,))
    return {
        "alpine": shell,
        "busybox": shell,
        "bash": Image(name="", default_args=("bash",)),
        "debian": Image(name="", default_args=("bash",)),
        "ubuntu": Image(name="", default_args=("bash",)),
        "bitnami/bash": Image(name="", default_args=("bash",)),
        "bitnami/os-shell": Image(name="", default_args=("bash",)),
        "python": Image(name="", default_args=("python3",), path=(python,)),
        "argoproj/argosay": argosay,
        "quay.io/argoproj/argosay": argosay,
        "docker/whalesay": cowsay,
        "argoproj/argosay:v1": cowsay,
    }
