"""Records of plays: kept whole, read back, and never read where they are of another version or broken."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from grader.checks.probe import Run, TableState
from grader.fingerprint.digest import Digest
from grader.grading import record
from grader.grading.record import Record, Records, key_of
from grader.grading.world import Moment

KEY = key_of("ingest", "first")
TABLE = TableState(
    snapshot=2**62 + 1, metadata="file:///w/1.json",
    partitions={"flight_date=2013-03-09": Digest(rows=7, low=2**64 - 1, high=2**63 + 5)},
)  # fmt: skip
REPORT = TableState(snapshot=None, partitions={})


def made(**changes: Any) -> Record:
    """A record of one run."""
    document = {"phase": "Succeeded", "nodes": {"n": {"id": "n"}}}
    run = Run(
        play="second", ds=date(2013, 3, 9), name="ingest-1", document=document,
        before={}, after={"lake.raw.flights": TABLE, "reporting.carrier_daily": REPORT}, pipeline="ingest",
        beside=(date(2013, 3, 10),), facts={"killed": ["after x"]},
    )  # fmt: skip
    moment = Moment(
        tables={"raw.flights": {"table_name": "flights", "metadata_location": "file:///w/1.json"}}, reporting="r",
        deliveries=[{"id": 1, "key": None, "body": "{}"}],
    )  # fmt: skip
    plain = Record(
        key=KEY, tag="bcdfgh", pipeline="ingest", play="second", runs=[run], moment=moment, events=["a.ndjson"],
        seconds=1.5, facts={"x": 1},
    )  # fmt: skip
    return Record(**{**vars(plain), **changes})


def test_round_trip(tmp_path: Path) -> None:
    """What is read is what was put: digests of 128 bits, big snapshot ids, days, moments."""
    Records(tmp_path / "records").put(made())
    assert Records(tmp_path / "records").get(KEY) == made()
    assert [path.name for path in (tmp_path / "records").iterdir()] == [f"{KEY}.json"]
    assert Records(tmp_path / "records").count() == 1


def test_what_is_not_there(tmp_path: Path) -> None:
    """A key without a record has none, and clearing a folder that is not there is no mistake."""
    records = Records(tmp_path / "none")
    assert records.get(KEY) is None
    assert records.count() == 0
    records.clear()
    records.put(made())
    assert records.count() == 1
    records.clear()
    assert records.get(KEY) is None
    assert records.count() == 0


def test_the_last_one_counts(tmp_path: Path) -> None:
    """A record that is put again replaces the one that was there."""
    records = Records(tmp_path)
    records.put(made())
    records.put(made(tag="zzzzzz"))
    found = records.get(KEY)
    assert found is not None
    assert found.tag == "zzzzzz"


def test_fresh(tmp_path: Path) -> None:
    """Of a fresh pipeline nothing older is given, of the others everything."""
    Records(tmp_path).put(made())
    assert Records(tmp_path, fresh=["transform", "publish"]).get(KEY) == made()
    fresh = Records(tmp_path, fresh=["ingest"])
    assert fresh.get(KEY) is None
    fresh.put(made())
    assert fresh.get(KEY) == made()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "{}", '{"runs": [], "moment": {}}', '{"runs": 3, "moment": {}}', b"\xff",
        '{"runs": [{}], "moment": {}}', '{"runs": [null], "moment": null}', '{"runs": {"a": 1}, "moment": {"x": 1}}',
    ],
)  # fmt: skip
def test_broken_files(tmp_path: Path, text: str | bytes) -> None:
    """A file that is cut off, or holds something else, is no record; the play is played again."""
    (tmp_path / f"{KEY}.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert Records(tmp_path).get(KEY) is None


def test_a_field_too_many_or_too_few(tmp_path: Path) -> None:
    """A record of another shape is not guessed at."""
    records = Records(tmp_path)
    records.put(made())
    path = tmp_path / f"{KEY}.json"
    document = json.loads(path.read_text())
    for changed in (
        {**document, "more": 1},
        {key: one for key, one in document.items() if key != "tag"},
        {**document, "moment": {"boxes": {}}},
        {**document, "runs": [{**document["runs"][0], "after": {"lake.raw.flights": {"snapshot": "x"}}}]},
        {**document, "runs": [{**document["runs"][0], "after": "nothing"}]},
    ):
        path.write_text(json.dumps(changed))
        assert Records(tmp_path).get(KEY) is None
    path.write_text(json.dumps(document))
    assert Records(tmp_path).get(KEY) == made()


def test_another_version_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What plays do is a part of every key: after a change of theirs, no older record is found."""
    before = key_of("ingest", {"b": 1, "a": date(2013, 3, 9)})
    assert before == key_of("ingest", {"a": date(2013, 3, 9), "b": 1})
    assert before != key_of("ingest", {"b": 2, "a": date(2013, 3, 9)})
    assert before != key_of("ingest")
    monkeypatch.setattr(record, "VERSION", record.VERSION + 1)
    assert key_of("ingest", {"b": 1, "a": date(2013, 3, 9)}) != before
