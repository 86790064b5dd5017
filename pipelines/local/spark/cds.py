"""The class-data archive: Spark's classes, parsed and verified once, mapped into every later JVM."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipelines.local.spark import command, gateway, jars
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import Java

KEPT = 4  # archives: one per combination of Java, PySpark and jars
HEAP = 1 << 30
EXERCISE = Path(__file__).with_name("exercise.py")


def path(java: Java) -> Path:
    """Return where the archive for this Java and class path is kept, made or not."""
    parts = [java.version, str(java.home), *command.FAST, EXERCISE.read_text()]
    for jar in command.class_path().split(os.pathsep):
        found = Path(jar)
        stamp = found.stat() if found.exists() else None
        parts.append(f"{jar} {stamp.st_size} {stamp.st_mtime_ns}" if stamp else jar)
    return jars.cache_root() / "cds" / f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}.jsa"


def existing(java: Java) -> Path | None:
    """Return the archive if it was made."""
    found = path(java)
    return found if found.is_file() else None


def ensure(java: Java, progress: Callable[[str], None] = lambda _: None) -> Path | None:
    """Make the archive if it is not there (takes about as long as two Spark jobs); None where that does not work.

    Spark runs without it too, only slower: a failure is no error.
    """
    wanted = path(java)
    if wanted.is_file():
        return wanted
    progress("preparing Spark's class archive (once)")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="batchlab-cds-") as scratch:
        made = Path(scratch) / "classes.jsa"
        if not _run(java, made, Path(scratch)) or not made.is_file():
            log = wanted.with_suffix(".log")
            log.write_bytes((Path(scratch) / "log").read_bytes())
            progress(f"no class archive could be made, Spark will start more slowly (see {log})")
            return None
        part = wanted.with_name(f".{wanted.name}.{os.getpid()}")
        part.write_bytes(made.read_bytes())
        part.replace(wanted)
    for old in sorted(wanted.parent.glob("*.jsa"), key=lambda one: one.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)
    return wanted


def _run(java: Java, archive: Path, scratch: Path) -> bool:
    """Run the exercise in a JVM that writes its classes to `archive` when it ends; returns whether all went well."""
    conf_dir, log4j = scratch / "conf", scratch / "log4j2.properties"
    conf_dir.mkdir()
    log4j.write_text("rootLogger.level = error\n")
    env = gateway.spark_env(
        os.environ, home=spark_home(), conf_dir=conf_dir, java_home=java.home, python=sys.executable
    )
    argv = command.java_command(
        java.executable, heap=HEAP, log4j=log4j, archive=None, options=(f"-XX:ArchiveClassesAtExit={archive}",)
    )
    options = command.submit_arguments(
        name="archive",
        conf={
            "spark.master": "local[2]",
            "spark.ui.enabled": "false",
            "spark.local.dir": str(scratch),
            "spark.driver.host": "127.0.0.1",
        },
    )
    with (scratch / "log").open("wb") as log:
        info = scratch / "gateway"
        jvm = gateway.start(argv, options, info=info, env=env, cwd=scratch, log=log)
        try:
            address = gateway.await_address(jvm, info)
            argv = [sys.executable, "-I", str(EXERCISE), str(scratch)]
            done = (
                subprocess.run(
                    argv, env={**env, **address.env()}, stdout=log, stderr=log, check=False, timeout=300
                ).returncode
                == 0
            )
        except (gateway.GatewayGone, subprocess.TimeoutExpired):
            jvm.kill()
            done = False
        assert jvm.stdin is not None
        jvm.stdin.close()
        return jvm.wait() == 0 and done
