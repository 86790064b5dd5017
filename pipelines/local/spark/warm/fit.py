"""Whether a warm JVM can give an application everything that it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.local.spark.warm.shape import HEAP

# Settings that only a JVM's start can honour, or that put classes on its class path.
_OWN_JVM = re.compile(
    r"spark\.driver\.(extra(ClassPath|JavaOptions|LibraryPath)|defaultJavaOptions|userClassPathFirst)"
    r"|spark\.(jars|files|archives)(\..*)?|spark\.submit\.pyFiles|spark\.plugins|spark\.log\.structuredLogging\.enabled"
)
# Variables that code inside the JVM reads for itself.
_JVM_ENV = re.compile(
    r"AWS_(ACCESS|SECRET|SESSION|REGION|DEFAULT_REGION|PROFILE|ENDPOINT|ROLE|WEB_IDENTITY)\w*|GOOGLE_APPLICATION_CREDENTIALS"
    r"|(AZURE|HADOOP|HIVE|OPENLINEAGE)_\w*|(JAVA_TOOL|_?JDK_JAVA|_JAVA)_OPTIONS"
)


def misfit(
    *, conf: Mapping[str, str], env: Mapping[str, str], memory: int, java_options: object = (), files: object = ()
) -> str:
    """Return why an application needs a JVM of its own; "" where a warm one will do.

    Args:
        conf: its spark.* settings.
        env: its environment.
        memory: heap in bytes.
        java_options: its JVM options, if any.
        files: its extra jars, Python files or files, if any.
    """
    if memory > HEAP:
        return f"it needs a heap of {memory >> 20} MiB"
    if java_options:
        return "it has JVM options"
    if files:
        return "it has files for the class path or the working folder"
    for key, value in conf.items():
        if _OWN_JVM.fullmatch(key):
            return f"it sets {key}"
        if "${env:" in value or "${system:" in value:
            return f"{key} refers to the environment"
    if conf.get("spark.sql.catalogImplementation", "in-memory") != "in-memory":
        return "it uses a Hive metastore"
    if not conf.get("spark.master", "local").startswith("local"):
        return f"its master is {conf['spark.master']}"
    for name in env:
        if _JVM_ENV.fullmatch(name):
            return f"its environment has {name}"
    if env.get("TZ", "UTC") not in {"UTC", "Etc/UTC"}:
        return f"its time zone is {env['TZ']}"
    return ""
