"""spark-submit's command line, as far as somebody has to read it before a JVM does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHELL = "pyspark-shell"  # what PySpark submits when a Python process wants a gateway
# options that are settings by another name
_AS_CONF = {
    "--master": "spark.master",
    "--deploy-mode": "spark.submit.deployMode",
    "--name": "spark.app.name",
    "--driver-memory": "spark.driver.memory",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--driver-library-path": "spark.driver.extraLibraryPath",
    "--driver-cores": "spark.driver.cores",
    "--executor-memory": "spark.executor.memory",
    "--executor-cores": "spark.executor.cores",
    "--num-executors": "spark.executor.instances",
    "--total-executor-cores": "spark.cores.max",
    "--jars": "spark.jars",
    "--packages": "spark.jars.packages",
    "--exclude-packages": "spark.jars.excludes",
    "--repositories": "spark.jars.repositories",
    "--py-files": "spark.submit.pyFiles",
    "--files": "spark.files",
    "--archives": "spark.archives",
}
_SETTING = re.compile(r"\s*(spark\.[^\s=:]*)\s*[=:\s]?\s*(.*)")
_OTHER_VALUED = frozenset({"--class", "--queue", "--proxy-user", "--principal", "--keytab", "--kill", "--status"})


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One spark-submit: `conf` has every setting of its options; `others` options that are no settings."""

    conf: dict[str, str]
    others: tuple[str, ...]
    program: tuple[str, ...]

    @property
    def is_gateway(self) -> bool:
        """Whether PySpark asks for a JVM, and nothing else is asked."""
        return self.program == (SHELL,) and not self.others


def parse(argv: Sequence[str]) -> Submission:
    """Read spark-submit's options; a later one wins, as there."""
    conf: dict[str, str] = {}
    others: list[str] = []
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        option = {"-c": "--conf"}.get(option, option)
        takes_value = option in _AS_CONF or option in _OTHER_VALUED or option in {"--conf", "--properties-file"}
        if takes_value and not value:
            value = rest.pop(0) if rest else ""
        if option == "--conf":
            key, _, setting = value.partition("=")
            conf[key] = setting
        elif option == "--properties-file":
            conf = {**read_properties(Path(value)), **conf}
        elif option in _AS_CONF:
            conf[_AS_CONF[option]] = value
        else:
            others += [option, value] if takes_value else [option]
    return Submission(conf=conf, others=tuple(others), program=tuple(rest))


def read_properties(path: Path) -> dict[str, str]:
    """Return the spark.* settings of a `spark-defaults.conf`; {} where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    found = (_SETTING.match(line) for line in lines)
    return {match[1]: match[2].strip() for match in found if match}


def java_options(conf: dict[str, str]) -> tuple[str, ...]:
    """Return the JVM options that settings ask for."""
    text = " ".join(conf.get(f"spark.driver.{name}JavaOptions", "") for name in ("default", "extra"))
    return tuple(shlex.split(text))
