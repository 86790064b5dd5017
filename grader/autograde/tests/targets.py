"""What the tests call inside a box: stand-ins for the grader, which run submissions of one workflow."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from grader.autograde import isolation
from grader.autograde.box import ROOT
from pipelines.local.engine import Engine
from pipelines.local.errors import BadInput
from pipelines.local.preload import ForkServer
from pipelines.local.state import StateDir

if TYPE_CHECKING:
    from pipelines.local.platform import Platform

SECRET = "the-answer-is-42"


HONEST = {
    "name": "main",
    "script": {"image": "python", "command": ["python"], "source": "open('/tmp/x', 'w').write('42')"},
    "outputs": {"parameters": [{"name": "x", "valueFrom": {"path": "/tmp/x"}}]},
}


def plain(argument: dict[str, Any]) -> dict[str, Any]:
    """Run the submission's workflow; pass exactly when the last of its steps leaves the right answer in its output.

    After it, an honest workflow runs, which must not notice anything.
    """
    state = StateDir.locate()
    (state.root / "credentials.json").write_text(SECRET)
    os.environ["GRADER_SECRET"] = SECRET
    workflow = yaml.safe_load((Path(argument["submission"]) / "workflow.yaml").read_text())
    honest = {"kind": "Workflow", "metadata": {}, "spec": {"entrypoint": "main", "templates": [HONEST]}}
    with closing(ForkServer(["decimal"])) as preload:
        preload.wait_ready(60)
        with closing(Engine(state, isolation=isolation(), preload=preload)) as engine:
            document = engine.run(workflow, name="w").document
            after = engine.run(honest, name="honest").document
    return {
        "outcome": "pass" if _answers(document)[-1:] == ["42"] else "fail",
        "honest": _answers(after),
        "phase": document["phase"],
        "message": next((node["message"] for node in _pods(document) if node.get("message")), ""),
        "log": "".join(path.read_text(errors="replace") for path in sorted((state.steps / "w").rglob("*.log"))),
        "tables": {path.name: path.stat().st_size for path in state.warehouse.iterdir()},
        "credentials": (state.root / "credentials.json").read_text(),
        "left": _left(),
    }


def _pods(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in document["nodes"].values() if node["type"] == "Pod"]


def _answers(document: dict[str, Any]) -> list[str]:
    found = [(node.get("outputs") or {}).get("parameters", []) for node in _pods(document)]
    return [one["value"] for each in found for one in each if "value" in one]


def _left() -> list[str]:
    """Return the programs that run in the box beside process 1, this one, and the expression helper."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid not in {1, os.getpid()} and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return [name for name in found if not name.startswith("argolang")]


def echo(argument: dict[str, Any]) -> dict[str, Any]:
    """Return the argument and what there is of hidden checks."""
    hidden = argument["hidden"]
    return {**argument, "checks": sorted(path.name for path in Path(hidden).iterdir()) if hidden else []}


def hang(_argument: dict[str, Any]) -> dict[str, Any]:
    """Never return."""
    while True:
        time.sleep(60)


def die(_argument: dict[str, Any]) -> dict[str, Any]:
    """End without a word, as a grader would whose memory ran out."""
    os._exit(0)


def fail(_argument: dict[str, Any]) -> dict[str, Any]:
    """Raise."""
    raise LookupError("no table")


def boast(_argument: dict[str, Any]) -> dict[str, Any]:
    """Say far too much."""
    return {"value": "x" * 10_000}


def refuse(argument: dict[str, Any]) -> dict[str, Any]:
    """Refuse the submission."""
    raise BadInput("there is no submission.toml", where=argument["submission"])


DAY = "2013-01-05"


def lake(argument: dict[str, Any]) -> dict[str, Any]:
    """Play `ingest` of one day on a platform of its own; pass exactly when the table has as many rows as the source.

    The submission is the folder `ingest` of the image; the manifests are the reference's.
    """
    from grader import data
    from grader.autograde import database
    from pipelines.local.platform import Platform, snapshot
    from pipelines.local.preload import LIBRARIES

    state, apart = StateDir.locate(), isolation()
    with closing(ForkServer(LIBRARIES)) as preload:
        platform = Platform(state, apart)
        platform.start(warm=False)
        data.load(platform.endpoints.postgres_dsn)
        database.provide(platform)
        code = snapshot(state, replaced={"ingest": Path(argument["submission"]) / "ingest"})
        before = _rows(platform)
        preload.wait_ready(60)
        document = _ingest(platform, code.image, preload)
        after, count = _rows(platform), _table_rows(state)
    calls = _calls(platform)
    platform.stop()
    return {
        "outcome": "pass" if count == before else "fail",
        "phase": document["phase"],
        "rows": [before, after, count],
        "calls": calls,
        "evil": [str(path) for path in state.root.rglob("*evil*") if not path.is_relative_to(state.warehouse)],
        "events": {path.name: len(path.read_text().splitlines()) for path in state.lineage.iterdir()},
        "log": _logs(state),
        "secrets": sum(text in _logs(state) for text in platform.postgres.passwords.values()),
        "left": _left(),
    }


def _ingest(platform: Platform, image: str, preload: ForkServer) -> dict[str, Any]:
    from pipelines.local.assembly import on_platform
    from pipelines.local.cron.conversion import from_template
    from pipelines.local.engine import WallClock
    from pipelines.local.manifest import load

    documents = load([ROOT / "cluster" / "apps" / "ingest"])
    with closing(on_platform(platform, WallClock(), image=image, preload=preload, isolation=isolation())) as engine:
        workflow = from_template(documents.templates["ingest"], "w", {"ds": DAY})
        document: dict[str, Any] = engine.run(workflow, templates=documents.templates, name="w").document
    return document


def _rows(platform: Platform) -> int:
    import psycopg

    with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
        found = pg.execute("SELECT count(*) FROM ops.flights WHERE flight_date = %s", (DAY,)).fetchone()
    return int(found[0]) if found else -1


def _table_rows(state: StateDir) -> int:
    from grader.fingerprint.lake import Lake

    try:
        found = Lake.open(state, cached=False).fingerprint("lake.raw.flights")
    except BadInput:
        return 0
    return sum(part.rows for part in found.partitions.values())


def _calls(platform: Platform) -> list[str]:
    from pipelines.local.platform.webhook import Deliveries

    return [str(one["key"]) for one in Deliveries(platform.receiver.database).list()]


def _logs(state: StateDir) -> str:
    return "".join(path.read_text(errors="replace") for path in sorted((state.steps / "w").rglob("*.log")))
