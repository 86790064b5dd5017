"""Play `crash`: the executor is killed at every step boundary and inside commits, and resumed each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from grader.checks.probe import Run
from grader.grading.ground import Ground
from grader.grading.tap import Cut, Passing, http_tap, postgres_tap
from pipelines.local.platform.ports import HOST

MOST_KILLS = 24
"""A solution that gives ever new places to kill it at is let go after so many."""
CHILD = "grader.grading.child"


class Killer:
    """Decides where to kill, each place once, and does it: executor, steps, and the Spark JVM that it leased."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._guard = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._announced = False
        self._counted: dict[str, int] = {}
        self.places: list[str] = []
        self.step = ""

    def watch(self, child: subprocess.Popen[str]) -> None:
        """Take another process for the executor."""
        with self._guard:
            self._child = child

    def offer(self, place: str) -> bool:
        """Kill at a place that is new; tells whether it did."""
        with self._guard:
            child = self._child
            if child is None:
                return True  # killed already: nothing of it may get through any more
            if place in self.places or len(self.places) >= MOST_KILLS:
                return False
            self.places.append(place)
            self._child = None
            self._ground.say(f"killed {place}")
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            self._end_jvms()
            return True

    def _end_jvms(self) -> None:
        """A driver's pod takes its JVM with it."""
        for slot in self._ground.world.platform.pool.slots:
            jvm = slot.jvm()
            process = jvm.process() if jvm is not None and slot.phase == "leased" else None
            if process is not None:
                process.kill()
                process.wait(10)

    def commits(self, kind: Callable[[Passing], str]) -> tuple[Callable[[Passing], None], Callable[[Passing], None]]:
        """Make hooks that kill before and after what `kind` gives a name: the first of a step, and those of `main`."""

        def hook(passing: Passing, when: str) -> None:
            name = kind(passing)
            if name and self._telling(name, when) and self.offer(f"{when} {name} in {self.step}"):
                raise Cut

        return (lambda passing: hook(passing, "before")), (lambda passing: hook(passing, "after"))

    def _telling(self, name: str, when: str) -> bool:
        """A staged commit that nobody sees is killed after it only; one that becomes visible, before it too."""
        return when == "after" or "staged" not in name


def play(ground: Ground) -> list[Run]:
    """Run the day, killed wherever there is something to kill; the run's facts list the places."""
    (day,) = ground.days
    due = ground.pipeline.due([day])[day]
    before, name = ground.state(), ground.name(day)
    killer = Killer(ground)
    ends = ground.world.platform.endpoints
    with ExitStack() as stack:
        catalog = stack.enter_context(http_tap(ends.catalog_uri, **_hooks(killer, _catalog_commit)))
        webhook = stack.enter_context(http_tap(ends.webhook_url, **_hooks(killer, _call)))
        port = stack.enter_context(postgres_tap(urlsplit(ends.postgres_dsn).port or 0, **_hooks(killer, _commit)))
        ground.instead = {
            "catalogUri": catalog, "webhookUrl": webhook, "postgresPort": str(port), "postgresHost": HOST,
        }  # fmt: skip
        workflow = ground.pipeline.workflow(name, day, due)
        resume = False
        while _run(ground, killer, _job(ground, workflow, name, due, resume=resume)):
            resume = True
        with ground.engine(due) as engine:
            document = engine.get(name).document if resume or _known(engine, name) else _not_started(name, killer)
    facts = {"killed": killer.places}
    return [ground.run_of(day, name, document, before, ground.state(), facts=facts)]


def _hooks(killer: Killer, kind: Callable[[Passing], str]) -> dict[str, Any]:
    before, after = killer.commits(kind)
    return {"before": before, "after": after}


def _job(ground: Ground, workflow: Mapping[str, Any], name: str, due: datetime, *, resume: bool) -> dict[str, Any]:
    documents = ground.pipeline.submission.documents
    return {
        "state": str(ground.world.state.root), "image": ground.image, "instead": ground.instead, "name": name,
        "workflow": workflow, "templates": documents.templates, "objects": documents.configmaps, "resume": resume,
        "due": due.isoformat(), "start": (due + ground.play.late).isoformat(),
    }  # fmt: skip


def _run(ground: Ground, killer: Killer, job: Mapping[str, Any]) -> bool:
    """Run the executor in a process of its own until it ends or is killed; tells whether it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdin is not None and child.stdout is not None  # noqa: PT018
    killer.watch(child)
    killed = False
    try:
        child.stdin.write(json.dumps(job) + "\n")
        child.stdin.flush()
        for line in child.stdout:
            event = json.loads(line)
            if event["phase"] == "Running":
                killer.step = event["step"]
                ground.say(event["step"])
            elif event["phase"] in {"Succeeded", "Failed", "Error"} and killer.offer(f"after {event['step']}"):
                break
            child.stdin.write("go\n")
            child.stdin.flush()
    except BrokenPipeError:  # killed from one of the taps
        pass
    finally:
        for stream in (child.stdin, child.stdout):
            stream.close() if stream is child.stdout else _close(stream)
        code = child.wait()
        killed = code == -signal.SIGKILL
    return killed


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


def _known(engine: Any, name: str) -> bool:
    return any(run.name == name for run in engine.runs())


def _not_started(name: str, killer: Killer) -> dict[str, Any]:
    return {"name": name, "phase": "Error", "message": f"not started: {killer.step or 'it was refused'}", "nodes": {}}


def _catalog_commit(passing: Passing) -> str:
    """Name a commit to a table: `commit of raw.flights`, or a `staged` one, which `main` does not show."""
    parts = [part for part in urlsplit(passing.path).path.split("/") if part]
    if passing.method != "POST" or "tables" not in parts or parts[-1] in {"tables", "metrics"}:
        return ""
    try:
        updates = json.loads(passing.body).get("updates") or []
    except (ValueError, AttributeError):
        return ""
    refs = [one.get("ref-name") for one in updates if one.get("action") == "set-snapshot-ref"]
    if not refs:
        return ""
    table = f"{parts[parts.index('tables') - 1]}.{parts[-1]}"
    return f"commit of {table}" if "main" in refs else f"staged commit of {table}"


def _commit(passing: Passing) -> str:
    return "commit in PostgreSQL" if passing.method == "COMMIT" else ""


def _call(passing: Passing) -> str:
    return "call of the webhook" if passing.method == "POST" else ""
