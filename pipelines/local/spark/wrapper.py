"""`bin/spark-submit` of a step's image: `python -m pipelines.local.spark.wrapper STATE ARGUMENT…`.

PySpark runs it when a program of a container step asks for a session. It becomes a JVM with the local settings, or,
where dbt asks (its models are SQL on catalogs; they touch no file of the step), lends a warm JVM for as long as the
program lives.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import psutil

from pipelines.local.spark import cds, command, conf, options
from pipelines.local.spark.application import DEFAULT_MEMORY, parse_memory
from pipelines.local.spark.gateway import spark_env
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import Java, find
from pipelines.local.spark.options import Submission
from pipelines.local.spark.warm.fit import misfit
from pipelines.local.spark.warm.jvm import Doubt
from pipelines.local.spark.warm.pool import Lease, Pool
from pipelines.local.state import StateDir

DEFAULTS_FILE = "spark-defaults.conf"


def main(state: StateDir, argv: list[str]) -> None:
    """Serve one spark-submit."""
    submission = options.parse(argv)
    conf_dir = Path(os.environ.get("SPARK_CONF_DIR") or conf.empty_conf_dir(state))
    work = Path(tempfile.mkdtemp(prefix="spark-"))
    settings = {
        **conf.defaults(state, work),
        "spark.master": "local[*]",
        **conf.FORCED,
        **options.read_properties(conf_dir / DEFAULTS_FILE),
        **submission.conf,
    }
    if submission.is_gateway and not _extras(conf_dir) and _asked_by_dbt():
        _lend(state, settings)
    _become_jvm(state, submission, settings, conf_dir)


def _lend(state: StateDir, settings: dict[str, str]) -> None:
    """Lend a warm JVM until standard input ends, and exit; returns where there is none that fits."""
    if misfit(conf=settings, env=os.environ, memory=_heap(settings)):
        return
    slot_work = state.platform / "warm" / f"work-{uuid.uuid4().hex}"
    lease = Pool(state, foreign=True).lease()
    if lease is None:
        return
    slot_work = slot_work.with_name(f"work-{lease.slot.number}-{uuid.uuid4().hex}")
    slot_work.mkdir()
    own = {
        **settings,
        **conf.defaults(state, slot_work),
        "spark.app.name": settings.get("spark.app.name", options.SHELL),
    }
    log = _log(slot_work)
    try:
        lease.prepare(own, log=log, work=slot_work)
    except (Doubt, OSError):
        lease.release(finished=False)
        return
    _serve(lease, log if log.parent == slot_work else None)


def _serve(lease: Lease, log: Path | None) -> NoReturn:
    """Lend until standard input ends; what the JVM said in a log of its own is then told here."""
    lease.address.write(Path(os.environ["_PYSPARK_DRIVER_CONN_INFO_PATH"]))
    while os.read(0, 4096):
        pass
    with suppress(Doubt):
        lease.stop_context()
    if log is not None:
        _tell(log)
    lease.release()
    sys.exit(0)


def _tell(log: Path) -> None:
    """Repeat a log on standard error."""
    with suppress(OSError), log.open("rb") as stream:
        shutil.copyfileobj(stream, sys.stderr.buffer)
        sys.stderr.flush()


def _become_jvm(state: StateDir, submission: Submission, settings: dict[str, str], conf_dir: Path) -> NoReturn:
    java = find()
    extras = _extras(conf_dir)
    front = [*([conf_dir] if extras else []), *_paths(settings.get("spark.driver.extraClassPath", ""))]
    argv = command.java_command(
        java.executable,
        heap=_heap(settings),
        log4j=conf_dir / "log4j2.properties" if "log4j2.properties" in extras else conf.prepare(state),
        archive=None if front else _archive(java),
        options=options.java_options(settings),
        front=front,
    )
    chosen = {key: value for key, value in settings.items() if key not in submission.conf}
    submit = command.submit_arguments(name=settings.get("spark.app.name", ""), conf={**chosen, **submission.conf})
    argv += [command.SUBMIT, *(submit[2:] if not settings.get("spark.app.name") else submit)]
    env = spark_env(os.environ, home=spark_home(), conf_dir=conf_dir, java_home=java.home, python=sys.executable)
    env.pop("BATCHLAB_CACHE", None)
    os.execve(argv[0], [*argv, *submission.others, *submission.program], env)  # noqa: S606 - what this program is for


def _archive(java: Java) -> Path | None:
    return cds.existing(java)


def _heap(settings: dict[str, str]) -> int:
    return max(parse_memory(settings.get(f"spark.{role}.memory", DEFAULT_MEMORY)) for role in ("driver", "executor"))


def _paths(text: str) -> list[Path]:
    return [Path(part) for part in text.split(os.pathsep) if part]


def _extras(conf_dir: Path) -> set[str]:
    """Return the files of a configuration folder that only a class path can bring to bear."""
    try:
        return {entry.name for entry in conf_dir.iterdir()} - {DEFAULTS_FILE}
    except OSError:
        return set()


def _asked_by_dbt() -> bool:
    try:
        words = psutil.Process(_parent()).cmdline()[:3]
    except psutil.Error:
        return False
    return any(Path(word).name == "dbt" or word.startswith("dbt.") for word in words)


def _parent() -> int:
    """Return the parent's pid as /proc counts: in a step, /proc may be that of another process namespace."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("PPid:")).split()[1])
    return os.getppid()


def _log(work: Path) -> Path:
    """Return the file that standard error goes to, for the JVM to write to as well; else one beside its work."""
    try:
        target = Path("/proc/self/fd/2").readlink()
    except OSError:
        return work / "log"
    return target if target.is_file() else work / "log"


if __name__ == "__main__":
    main(StateDir(root=Path(sys.argv[1])), sys.argv[2:])
