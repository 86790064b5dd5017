"""`batchlab taint` as a user calls it: table and sentence, JSON, the page, one-line errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.cli import main
from grader.lineage.taint import gather
from grader.lineage.taint.tests.past import NINE, TEN, past
from grader.lineage.tests.story import RAW

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command over a past of three tables."""
    told = past()
    monkeypatch.setattr(gather, "gather", lambda state: (told.history(), {RAW: frozenset({"tailnum"})}, []))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["taint", *arguments])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def test_words_and_commands(call: Call) -> None:
    """Who wrote what, whether it is still there, one sentence, and what to type."""
    code, out, _ = call("raw.flights", "--run", f"ingest-{NINE}-1")
    assert code == 0
    assert f"clean, by transform-{NINE}-2" in out
    assert "1 partition of 1 table now holds content computed from lake.raw.flights, run ingest-2013-03-09-1" in out
    assert out.rstrip().endswith(f"batchlab backfill cluster/apps --name publish --from {NINE} --to {NINE}")


def test_columns_and_what_is_hidden(call: Call) -> None:
    """With a column the table names columns; writes that tainted content has replaced are counted only."""
    _, out, _ = call("raw.flights", "--column", "tailnum")
    assert "columns" in out
    assert "1 more, which tainted content has replaced since, are in --json" in out


def test_json_is_all_there_is(call: Call) -> None:
    """One document on stdout, nothing else."""
    code, out, err = call("raw.flights", "--partition", f"flight_date={TEN}", "--json")
    document: dict[str, Any] = json.loads(out)
    assert (code, err) == (0, "")
    assert set(document) == {"input", "tainted", "deliveries", "repair", "notes", "summary"}
    assert document["input"]["writes"][0]["status"] == "tainted"
    assert {one["run"] for one in document["tainted"]} == {f"transform-{TEN}-1", f"publish-{TEN}-1"}


def test_page(call: Call, tmp_path: Path) -> None:
    """The page draws what was made from the bad input, and nothing that was not."""
    page = tmp_path / "taint.html"
    _, out, _ = call("raw.flights", "--html", str(page))
    assert out.rstrip().endswith(f"the graph is in {page}")
    text = page.read_text(encoding="utf-8")
    assert "lake.marts.carrier_daily" in text
    assert "ops.flights" not in text


def test_wrong_names(call: Call) -> None:
    """What is not there: one line that says what is, exit 2."""
    code, out, err = call("raw.trains")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "no dataset" not in err
    assert "there are: lake.curated.flights" in err
