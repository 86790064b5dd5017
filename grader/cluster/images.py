"""The kit's images: what each is made of, the hash of that, and how it is built and pushed."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grader
from grader.cluster import jars
from grader.cluster.commands import run
from grader.cluster.registry import Registry, archive
from pipelines.local.errors import BadInput
from pipelines.local.platform.code import CODE_ROOT, tree_files, tree_hash

ROOT = Path(grader.__file__).parent.parent
IMAGES = ROOT / "cluster" / "image"
REPOSITORY = "batchlab"
KIT = (
    "grader/__init__.py",
    "grader/data/__init__.py",
    "grader/data/batches.py",
    "grader/data/loader.py",
    "grader/data/schema.py",
    "grader/data/source.py",
    "grader/data/store.py",
    "pipelines/__init__.py",
    "pipelines/local/__init__.py",
    "pipelines/local/errors.py",
)
"""Modules of the kit that the image of tools has."""
RECEIVER = "pipelines/local/platform/webhook.py"
Say = Callable[[str], None]
Build = Callable[[str, Path], None]
"""Builds a folder with a Dockerfile, and pushes it under a name and tag."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is built of.

    Args:
        name: last part of its repository.
        files: name in the build's context → file.
        jars: those among them; they are hashed by their locks.
    """

    name: str
    files: Mapping[str, Path]
    jars: tuple[jars.Jar, ...] = ()

    @property
    def tag(self) -> str:
        """Hash of everything it is built of."""
        total = hashlib.sha256()
        for name, path in sorted(self.files.items()):
            total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        for jar in self.jars:
            total.update(f"{jar.coordinates}\0{jar.sha256}\n".encode())
        return total.hexdigest()[:12]

    @property
    def image(self) -> str:
        """Its name in manifests."""
        return f"{REPOSITORY}/{self.name}:{self.tag}"

    def lay_out(self, folder: Path) -> None:
        """Put the build's context into an empty folder."""
        for name, path in self.files.items():
            _place(path, folder / name)
        for jar in self.jars:
            _place(jar.path, folder / "jars" / jar.path.name)


def recipes() -> dict[str, Recipe]:
    """Give the images that are built, by name."""
    kit = {f"kit/{name}": ROOT / name for name in KIT} | {"kit/webhook.py": ROOT / RECEIVER}
    return {
        "deps": Recipe(name="deps", files=_own("deps"), jars=tuple(jars.of("spark"))),
        "catalog": Recipe(name="catalog", files=_own("catalog"), jars=tuple(jars.of("catalog"))),
        "tools": Recipe(name="tools", files={**_own("tools"), **kit}),
    }


def ensure(registry: Registry, build: Build, say: Say) -> dict[str, str]:
    """Build what the registry lacks; returns image names by recipe."""
    found = recipes()
    for recipe in found.values():
        if registry.has(f"{REPOSITORY}/{recipe.name}", recipe.tag):
            continue
        jars.fetch(recipe.jars, say)
        say(f"building {recipe.image} (minutes, the first time)")
        with tempfile.TemporaryDirectory(prefix="batchlab-image-") as folder:
            recipe.lay_out(Path(folder))
            build(recipe.image, Path(folder))
        if not registry.has(f"{REPOSITORY}/{recipe.name}", recipe.tag):
            raise BadInput(f"was built and is not in registry {registry.address}", where=recipe.image)
    return {name: recipe.image for name, recipe in found.items()}


def push_code(registry: Registry, folders: Mapping[str, Path]) -> str:
    """Put code on top of the image of dependencies, in the registry; returns the image's name.

    Args:
        registry: where both are.
        folders: folders of code, by their names under `pipelines/`.
    """
    files = tree_files(folders)
    deps = recipes()["deps"]
    tag = f"{tree_hash(files)}-{deps.tag[:8]}"
    if not registry.has(f"{REPOSITORY}/work", tag):
        registry.append((f"{REPOSITORY}/deps", deps.tag), (f"{REPOSITORY}/work", tag), archive(_code(files)))
    return f"{REPOSITORY}/work:{tag}"


def with_docker(registry: Registry) -> Build:
    """Build with Docker, and push to a registry on this machine."""

    def build(image: str, context: Path) -> None:
        name = f"{registry.address}/{image}"
        run(["docker", "build", "--quiet", "--provenance=false", "--tag", name, context], patience=3600)
        run(["docker", "push", "--quiet", name], patience=1800)

    return build


def with_command(command: str) -> Build:
    """Build with another program, written as at a shell: `COMMAND NAME:TAG CONTEXT` builds and pushes."""

    def build(image: str, context: Path) -> None:
        run([*shlex.split(command), f"docker.io/{image}", context], patience=3600)

    return build


def _own(name: str) -> dict[str, Path]:
    folder = IMAGES / name
    return {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in {"jars.lock", "README.md"}
    }


def _code(files: list[tuple[str, Path]]) -> Iterator[tuple[str, bytes, bool]]:
    root = CODE_ROOT.lstrip("/")
    yield f"{root}/pipelines/__init__.py", b"", False
    for name, path in files:
        yield f"{root}/{name}", path.read_bytes(), os.access(path, os.X_OK)


def _place(path: Path, target: Path) -> None:
    """Copy a file; a large one in the same file system is linked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jar":
        try:
            target.hardlink_to(path)
        except OSError:
            shutil.copy2(path, target)
        return
    shutil.copy2(path, target)
