"""Moments: kept as JSON, and put together from those of several pipelines."""

from __future__ import annotations

import json
from pathlib import Path

from grader.grading.world import Moment, _exists, joined, moment_of

INGEST = Moment(
    tables={"raw.flights": {"metadata_location": "1"}, "raw.weather": {"metadata_location": "1"}},
    deliveries=[{"id": 1, "key": "a", "body": "{}"}],
)  # fmt: skip
PUBLISH = Moment(
    tables={"raw.flights": {"metadata_location": "2"}}, reporting="p",
    deliveries=[{"id": 1, "key": "b", "body": "{}"}, {"id": 2, "key": None, "body": "x"}],
)  # fmt: skip


def test_round_trip() -> None:
    """A moment is the same after it was kept as JSON."""
    assert moment_of(json.loads(json.dumps(PUBLISH.as_json()))) == PUBLISH
    assert moment_of(Moment().as_json()) == Moment()


def test_joined() -> None:
    """Later tables and reports come over earlier ones; deliveries follow each other under numbers of their own."""
    found = joined(INGEST, PUBLISH)
    assert {name: row["metadata_location"] for name, row in found.tables.items()} == {
        "raw.flights": "2", "raw.weather": "1",
    }  # fmt: skip
    assert found.reporting == "p"
    assert [(one["id"], one["key"]) for one in found.deliveries] == [(1, "a"), (2, "b"), (3, None)]


def test_joined_keeps_reports_that_nobody_replaces() -> None:
    """A moment without reports does not take away those of an earlier one; nothing joined is nothing."""
    assert joined(PUBLISH, INGEST).reporting == "p"
    assert joined(PUBLISH, Moment(reporting="q")).reporting == "q"
    assert joined() == Moment()


def test_joined_changes_neither() -> None:
    """What is put together does not share its rows with what it was put together from."""
    found = joined(INGEST, PUBLISH)
    assert [one["id"] for one in PUBLISH.deliveries] == [1, 2]
    assert isinstance(found.deliveries[1], dict)
    found.deliveries[1]["key"] = "changed"
    assert PUBLISH.deliveries[0]["key"] == "b"


def test_files_of_a_moment(tmp_path: Path) -> None:
    """A metadata file is found by its path or its URI, also with a space in it."""
    (tmp_path / "a b").mkdir()
    file = tmp_path / "a b" / "1.json"
    assert not _exists(str(file))
    file.touch()
    assert _exists(str(file))
    assert _exists(file.as_uri())
    assert _exists(f"file:{file}")
    assert not _exists(f"{file.as_uri()}.gone")
    assert not _exists(str(tmp_path))
