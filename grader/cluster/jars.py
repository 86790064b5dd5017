"""The jars of the cluster's images: the embedded platform's, and those for S3, locked beside the Dockerfiles."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import grader
from pipelines.local.errors import BadInput
from pipelines.local.spark import jars as shared
from pipelines.local.spark.jars import Jar

IMAGES = Path(grader.__file__).parent.parent / "cluster" / "image"
LOCKS = {"spark": IMAGES / "deps" / "jars.lock", "catalog": IMAGES / "catalog" / "jars.lock"}

__all__ = ["Jar", "fetch", "of"]


def of(name: str) -> Iterator[Jar]:
    """Give the jars of a set: `spark` or `catalog`."""
    yield from shared.locked(name)
    for line in LOCKS[name].read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            _, coordinates, digest = line.split()
            group, artifact, version, *classifier = coordinates.split(":")
            yield Jar(
                group=group, artifact=artifact, version=version, classifier="".join(classifier),
                sha256=digest.removeprefix("sha256:"),
            )  # fmt: skip


def fetch(wanted: Iterable[Jar], say: Callable[[str], None]) -> None:
    """Bring missing jars into the user's cache.

    Raises:
        BadInput: the repository cannot be reached, or a jar is not the locked one.
    """
    shared.fetch(say)
    missing = [jar for jar in wanted if not jar.path.is_file()]
    if not missing:
        return
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    mirrors = GlobalSettings.load().repositories
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=shared.folder()) as scratch:
        context = MavenContext(repo_cache=Path(scratch), **({"remote_repos": dict(mirrors)} if mirrors else {}))
        for jar in missing:
            say(f"fetching {jar.path.name}")
            try:
                project = context.project(jar.group, jar.artifact).at_version(jar.version)
                got: Path = project.artifact(jar.classifier, "jar").resolve()
            except (OSError, RuntimeError) as error:
                what = f"cannot be fetched: {str(error).splitlines()[0][:300]}"
                raise BadInput(
                    what, where=jar.coordinates, remedy="check the network or the proxy's settings"
                ) from error
            with got.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != jar.sha256:
                    raise BadInput("the repository gave a jar that is not the locked one", where=jar.coordinates)
            part = jar.path.with_name(f".{jar.path.name}.{os.getpid()}")
            shutil.move(got, part)
            part.replace(jar.path)
