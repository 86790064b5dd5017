"""What the probe of a graded submission gives of the records of its plays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from grader.checks.probe import Run
from grader.fingerprint.lake import Lake
from grader.fingerprint.tests.memory import MemoryCatalog
from grader.grading.evidence import GradeProbe
from grader.grading.plays import DAYS
from grader.grading.record import Record
from grader.grading.world import Moment, World
from pipelines.local.manifest import Documents
from pipelines.local.state import StateDir

PLAYED = [
    *((pipeline, play) for pipeline in ("ingest", "transform", "publish") for play in ("second", "first")),
    ("ingest", "bad"), ("publish", "crash"), ("ingest", "crash"),
]  # fmt: skip


def record(pipeline: str, play: str, days: tuple[date, ...]) -> Record:
    """A record of runs of some days, with two calls of the webhook."""
    runs = [
        Run(play=play, ds=day, name=f"{pipeline}-{play}-{day.day}", document={}, before={}, after={}, pipeline=pipeline)
        for day in days
    ]
    calls = [call(number, f"{pipeline}-{play}-{number}", pipeline) for number in (1, 2)]
    return Record(key="k", tag="t", pipeline=pipeline, play=play, runs=runs, moment=Moment(deliveries=calls))


def call(number: int, key: str, pipeline: str) -> Mapping[str, Any]:
    """A row of the webhook receiver."""
    body = f'{{"ds": "2013-03-09", "pipeline": "{pipeline}"}}'
    return {"id": number, "received_at": "", "path": "/", "key": key, "effect": number % 2, "body": body}


def probe(folder: Path, scope: tuple[str, ...] = ("ingest", "transform", "publish")) -> GradeProbe:
    """A probe of some plays, of which nothing is on a platform."""
    world = World(StateDir(root=folder / "home"))
    days = {"first": DAYS, "second": DAYS[::-1]}
    return GradeProbe(
        state=world.state, platform=world.platform, documents=Documents(all=()), days=DAYS, made=(),
        begun=datetime.min.replace(tzinfo=timezone.utc), lake=Lake(catalog=MemoryCatalog(folder)), world=world,
        records={(one, play): record(one, play, days.get(play, DAYS[:1])) for one, play in PLAYED}, scope=scope,
    )  # fmt: skip


def test_what_was_played(tmp_path: Path) -> None:
    """A play is there if a judged pipeline was played so; announcements are publish's."""
    every, ingest = probe(tmp_path), probe(tmp_path, ("ingest",))
    assert [every.has(need) for need in ("first", "bad", "crash", "replay", "gate")] == [True, True, True, False, False]
    assert (every.has("announcements"), ingest.has("announcements")) == (True, False)
    assert (probe(tmp_path, ("publish",)).has("bad"), ingest.has("bad")) == (False, True)
    assert not every.has("cluster")
    assert not every.has("flux")


def test_runs(tmp_path: Path) -> None:
    """Runs that must succeed come play by play, pipeline by pipeline, in the order of their making; faults apart."""
    found = [run.name for run in probe(tmp_path).runs()]
    assert found == [
        *(f"{one}-first-{day}" for one in ("ingest", "transform", "publish") for day in (9, 10)),
        *(f"{one}-second-{day}" for one in ("ingest", "transform", "publish") for day in (10, 9)),
    ]
    assert [run.name for run in probe(tmp_path).faults("crash")] == ["ingest-crash-9", "publish-crash-9"]
    assert probe(tmp_path).faults("gate") == []
    assert [run.pipeline for run in probe(tmp_path, ("transform",)).runs()] == ["transform"] * 4


@pytest.mark.parametrize(("scope", "count"), [(("ingest",), 2), (("transform",), 3), (("publish",), 2)])
def test_tables(tmp_path: Path, scope: tuple[str, ...], count: int) -> None:
    """Only the tables of the judged pipelines are judged."""
    tables = probe(tmp_path, scope).tables()
    assert len(tables) == count
    assert {table.pipeline for table in tables} == set(scope)


def test_deliveries(tmp_path: Path) -> None:
    """Calls are those up to the end of a play: of the last one that must succeed, or of the one that is asked for."""
    found = probe(tmp_path)
    assert [one.key for one in found.deliveries() if one.pipeline == "publish"] == [
        "publish-second-1", "publish-second-2",
    ]  # fmt: skip
    assert [(one.key, one.effect, one.ds) for one in found.deliveries("crash") if one.pipeline == "publish"] == [
        ("publish-crash-1", True, "2013-03-09"), ("publish-crash-2", False, "2013-03-09"),
    ]  # fmt: skip
    assert probe(tmp_path, ("ingest",)).deliveries() == []
    assert found.deliveries("gate") == []


def test_sources(tmp_path: Path) -> None:
    """Answers are computed for the source as a play saw it."""
    found = probe(tmp_path)
    assert [found.source_of(play) for play in ("first", "second", "replay", "empty", "bad", "crash")] == [
        "base", "base", "late", "empty", "bad", "late",
    ]  # fmt: skip
