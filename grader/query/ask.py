"""Ask Spark: statements run in a driver of their own, in a warm JVM where one is free."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.local.engine.images import Image
from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform
from pipelines.local.platform.parts import last_line
from pipelines.local.spark import drive
from pipelines.local.spark.application import Driver
from pipelines.local.spark.launch import request_for
from pipelines.local.state import StateDir

_PROGRAM = Path(__file__).with_name("program.py")
_MEMORY = 1 << 30
_CORES = 2


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one statement gave.

    Args:
        columns: their names; none for a statement that gives no rows.
        rows: cells as Spark writes them as text, None for NULL.
        more: whether there are more rows than were asked for.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    more: bool

    def as_json(self) -> dict[str, object]:
        """Give it as `batchlab sql --json` prints it."""
        return asdict(self)


def ask(
    state: StateDir, statements: Sequence[str], *, most: int, progress: Callable[[str], None] = lambda _: None
) -> list[Answer]:
    """Run SQL statements in one Spark session, in which the catalog is `lake`; the platform is started if need be.

    Args:
        state: whose tables.
        statements: one after another; they may change tables.
        most: how many rows of each answer are wanted.
        progress: told in one line what is being started.

    Raises:
        BadInput: a statement is wrong, or Spark cannot run; the message is Spark's own.
    """
    servers = Platform(state.ensure())
    servers.start(progress)
    state.cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sql-", dir=state.cache) as scratch:
        found = _run(state, Path(scratch), {"statements": list(statements), "most": most}, _lake(servers))
    answers = [Answer(**one) for one in found["answers"]]
    if "error" in found:
        raise BadInput(str(found["error"]), where=_short(statements[len(answers)]))
    return answers


def _run(state: StateDir, place: Path, questions: Mapping[str, object], conf: Mapping[str, str]) -> Mapping[str, Any]:
    asked, answered, log = place / "questions.json", place / "answers.json", place / "log"
    asked.write_text(json.dumps(questions), encoding="utf-8")
    log.touch()
    driver = Driver(
        name="sql", image=Image(name="batchlab/sql"), main=_PROGRAM, main_class="", python=True,
        arguments=(str(asked), str(answered)), conf=conf, env={}, jars=(), py_files=(), files=(), memory=_MEMORY,
        cores=_CORES, java_options=(),
    )  # fmt: skip
    request = request_for(state, driver, work=place, log=log, application_id=f"sql-{uuid.uuid4().hex}")
    written = place / "request.json"
    request.save(written)
    with log.open("ab") as said:
        argv = [sys.executable, "-I", "-m", drive.__name__, str(written)]
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
    try:
        found: Mapping[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadInput(
            f"Spark could not run: {last_line(log)}", remedy="`batchlab doctor` checks what it needs"
        ) from None
    return found


def _lake(servers: Platform) -> dict[str, str]:
    """Give the settings that the pipelines' own Spark steps have."""
    places = servers.endpoints
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.defaultCatalog": "lake",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "rest",
        "spark.sql.catalog.lake.uri": places.catalog_uri,
        "spark.sql.catalog.lake.warehouse": places.warehouse,
        "spark.sql.catalog.lake.cache-enabled": "false",
    }


def _short(statement: str) -> str:
    words = " ".join(statement.split())
    return words if len(words) <= 60 else f"{words[:57]}…"
