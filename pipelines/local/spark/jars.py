"""The jars that Spark and the catalog need: locked coordinates, fetched once into the user's cache.

`jars.lock` has a line per jar: the set it belongs to (`spark`, `catalog`), its Maven coordinates and its SHA-256.
`python -m pipelines.local.spark.jars` resolves `WANTED` anew and writes it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from pipelines.local.errors import BadInput

LOCK = Path(__file__).with_name("jars.lock")

ICEBERG_SPARK = "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0"
OPENLINEAGE = "io.openlineage:openlineage-spark_2.13:1.53.0"
POSTGRESQL = "org.postgresql:postgresql:42.7.8"
# The catalog server's classes are in the tests jar, last published for 1.11.0. Hadoop's client, log4j and py4j come
# from PySpark's own jars.
WANTED = {
    "spark": (ICEBERG_SPARK, OPENLINEAGE, POSTGRESQL),
    "catalog": (
        "org.apache.iceberg:iceberg-core:1.11.0",
        "org.apache.iceberg:iceberg-core:1.11.0:tests",
        "org.eclipse.jetty.ee10:jetty-ee10-servlet:12.1.5",
        POSTGRESQL,
    ),
}
# Annotations for compilers: no class of ours needs them when it runs.
UNNEEDED = frozenset({"checker-qual", "error_prone_annotations"})


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One locked jar; `sha256` is in lower-case hexadecimal."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """`group:artifact:version[:classifier]`."""
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)

    @property
    def path(self) -> Path:
        """Where it is, once fetched."""
        tail = f"-{self.classifier}" if self.classifier else ""
        return folder() / f"{self.artifact}-{self.version}{tail}.jar"


def cache_root() -> Path:
    """Return the kit's folder in the user's cache, shared by all checkouts: only things that can be fetched again.

    A step has a home of its own, so its `spark-submit` is told the folder by `BATCHLAB_CACHE`.
    """
    if given := os.environ.get("BATCHLAB_CACHE"):
        return Path(given)
    return platformdirs.user_cache_path("batchlab", appauthor=False)


def folder() -> Path:
    """Return the folder of fetched jars."""
    return cache_root() / "jars"


def locked(name: str) -> list[Jar]:
    """Return the jars of one set, in the lock's order."""
    jars = []
    for line in LOCK.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            of, coordinates, digest = line.split()
            if of == name:
                jars.append(_jar(coordinates, digest.removeprefix("sha256:")))
    return jars


def paths(name: str) -> list[Path]:
    """Return the files of one set, fetched or not."""
    return [jar.path for jar in locked(name)]


def missing() -> list[Jar]:
    """Return the locked jars that are not in the cache yet, each once."""
    jars = {jar.path: jar for name in WANTED for jar in locked(name)}
    return [jar for path, jar in jars.items() if not path.is_file()]


def fetch(progress: Callable[[str], None] = lambda _: None) -> None:
    """Bring every missing jar into the cache; does nothing when all are there.

    Raises:
        BadInput: the repository cannot be reached, or a jar is not the one that was locked.
    """
    wanted = missing()
    if not wanted:
        return
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder()) as scratch:
            context = _maven(Path(scratch))
            with ThreadPoolExecutor(max_workers=4) as pool:
                for number, jar in enumerate(pool.map(lambda jar: _fetch(context, jar), wanted), start=1):
                    progress(f"jars {number}/{len(wanted)}: {jar.path.name}")
    except OSError as error:  # requests' errors are OSErrors too
        raise _refused(f"{type(error).__name__}: {error}") from error
    except RuntimeError as error:  # jgo: no repository has it
        raise _refused(str(error)) from error


def verify() -> list[str]:
    """Return the coordinates of fetched jars whose content is not what was locked."""
    jars = {jar.path: jar for name in WANTED for jar in locked(name)}
    return [jar.coordinates for path, jar in jars.items() if path.is_file() and _sha256(path) != jar.sha256]


def lock() -> str:
    """Resolve `WANTED` and return the text of the lock file (needs the network)."""
    lines = ["# Written by `python -m pipelines.local.spark.jars`: set, Maven coordinates, SHA-256."]
    with tempfile.TemporaryDirectory() as scratch:
        context = _maven(Path(scratch))
        for name, wanted in WANTED.items():
            for artifact in _resolve(context, wanted):
                coordinates = ":".join(
                    part
                    for part in (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier)
                    if part
                )
                lines.append(f"{name} {coordinates} sha256:{_sha256(artifact.resolve())}")
    return "\n".join(lines) + "\n"


def _jar(coordinates: str, digest: str) -> Jar:
    group, artifact, version, *classifier = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, classifier="".join(classifier), sha256=digest)


def _maven(scratch: Path) -> Any:
    """Return jgo's context: Maven Central, or the mirrors of the user's own jgo settings."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    mirrors = GlobalSettings.load().repositories
    return MavenContext(repo_cache=scratch, **({"remote_repos": dict(mirrors)} if mirrors else {}))


def _fetch(context: Any, jar: Jar) -> Jar:
    got: Path = (
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier, "jar").resolve()
    )
    if _sha256(got) != jar.sha256:
        raise BadInput(
            "the repository gave a jar that is not the locked one",
            where=jar.coordinates,
            remedy="check the Maven mirror in jgo's settings",
        )
    part = jar.path.with_name(f".{jar.path.name}.{os.getpid()}")
    shutil.move(got, part)
    part.replace(jar.path)
    return jar


def _resolve(context: Any, wanted: Iterable[str]) -> list[Any]:
    from jgo.maven import Dependency

    inputs = []
    for coordinates in wanted:
        jar = _jar(coordinates, "")
        inputs.append(
            Dependency(context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier, "jar"))
        )
    found, transitive = context.resolver.resolve(inputs)
    return [dependency.artifact for dependency in (*found, *transitive) if dependency.artifactId not in UNNEEDED]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _refused(why: str) -> BadInput:
    return BadInput(
        f"jars cannot be fetched: {why.splitlines()[0][:300]}",
        where=str(folder()),
        remedy="check the network (or the proxy and mirror settings), then run `make setup` again",
    )


if __name__ == "__main__":
    LOCK.write_text(lock())
    sys.stdout.write(LOCK.read_text())
