"""The java command of a local Spark driver: what `bin/spark-submit` runs, without its shell scripts and first JVM."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.local.spark import jars
from pipelines.local.spark.home import spark_home

# Spark 4.1's own list (org.apache.spark.launcher.JavaModuleOptions); a test compares it with the launcher's output.
MODULES = (
    "-XX:+IgnoreUnrecognizedVMOptions", "--add-modules=jdk.incubator.vector",
    "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.lang.invoke=ALL-UNNAMED",
    "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED", "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.net=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.base/sun.nio.cs=ALL-UNNAMED",
    "--add-opens=java.base/sun.security.action=ALL-UNNAMED", "--add-opens=java.base/sun.util.calendar=ALL-UNNAMED",
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED", "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "-Dderby.connection.requireAuthentication=false",
)  # fmt: skip
SUBMIT = "org.apache.spark.deploy.SparkSubmit"
# Starting fast matters more here than peak speed; a serial collector needs the least memory.
FAST = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")


def class_path(*, front: Sequence[Path] = ()) -> str:
    """Return the class path: extra jars, ours (one class loader for Iceberg and OpenLineage), then Spark's."""
    own = [str(path) for path in (*front, *jars.paths("spark"))]
    return os.pathsep.join([*own, *(str(path) for path in sorted((spark_home() / "jars").glob("*.jar")))])


def java_command(
    java: Path, *, heap: int, log4j: Path, archive: Path | None, options: Sequence[str] = (), front: Sequence[Path] = ()
) -> list[str]:
    """Return the command up to the main class.

    Args:
        java: the `java` program.
        heap: largest heap in bytes.
        log4j: logging configuration.
        archive: class-data archive made for exactly this class path, if there is one.
        options: the application's own JVM options; they win over ours.
        front: jars that come before all others.
    """
    own = [option for option in FAST if not (option == "-XX:+UseSerialGC" and _chooses_collector(options))]
    if archive is not None:
        own.append(f"-XX:SharedArchiveFile={archive}")
    return [
        str(java), "-cp", class_path(front=front), f"-Xmx{max(heap >> 20, 1)}m", *own,
        f"-Dlog4j2.configurationFile={log4j}", *MODULES, *options,
    ]  # fmt: skip


def submit_arguments(
    *,
    name: str,
    conf: Mapping[str, str],
    main_class: str = "",
    jar_files: Sequence[Path] = (),
    py_files: Sequence[Path] = (),
    files: Sequence[Path] = (),
) -> list[str]:
    """Return spark-submit's options, to be followed by a program and its arguments."""
    argv = ["--name", name]
    for key in sorted(conf):
        argv += ["--conf", f"{key}={conf[key]}"]
    for option, paths in (("--jars", jar_files), ("--py-files", py_files), ("--files", files)):
        if paths:
            argv += [option, ",".join(str(path) for path in paths)]
    if main_class:
        argv += ["--class", main_class]
    return argv


def _chooses_collector(options: Sequence[str]) -> bool:
    return any(re.fullmatch(r"-XX:\+Use\w*GC", option) for option in options)
