"""The journal of an interrupted demo."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from grader.demo.journal import Journal, only_one, open_journal
from grader.demo.plays import other_order
from pipelines.local.errors import BadInput

DAYS = (date(2013, 3, 9), date(2013, 3, 10), date(2013, 3, 11))


def test_goes_on_where_it_was(tmp_path: Path) -> None:
    """The same days and code continue: stages, runs and their names are those of the interrupted demo."""
    path = tmp_path / "demo" / "journal.json"
    first, why = open_journal(path, DAYS, "c1", fresh=False)
    assert why == ""
    entry = first.run("first", DAYS[0])
    entry["phase"] = "Succeeded"
    first.spend("load", 1.5)
    first.finish("load")
    again, why = open_journal(path, DAYS, "c1", fresh=False)
    assert why == "going on after: load"
    assert again.run("first", DAYS[0]) == entry
    assert again.tag == first.tag
    assert again.seconds == {"load": 1.5}


def test_begins_anew(tmp_path: Path) -> None:
    """Other days, other code, a wish, and a complete demo each begin anew, and say why."""
    path = tmp_path / "journal.json"
    for days, code, fresh, word in (
        (DAYS[:2], "c1", False, "other days"),
        (DAYS, "c2", False, "code has changed"),
        (DAYS, "c1", True, "as asked"),
    ):
        old = Journal.new(path, DAYS, "c1")
        old.finish("load")
        new, why = open_journal(path, days, code, fresh=fresh)
        assert word in why
        assert new.tag != old.tag
        assert new.done == []
    done = Journal.new(path, DAYS, "c1")
    done.finish("report")
    new, why = open_journal(path, DAYS, "c1", fresh=False)
    assert (new.done, why) == ([], "")


def test_broken_journal_is_no_journal(tmp_path: Path) -> None:
    """A journal that cannot be read, or of another shape, is replaced."""
    path = tmp_path / "journal.json"
    for text in ("", "{", "[]", '{"days": ["x"]}', '{"days": ["2013-03-09"], "strange": 1}'):
        path.write_text(text)
        assert Journal.load(path) is None
        journal, _ = open_journal(path, DAYS, "c1", fresh=False)
        assert journal.days == DAYS


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    """A second demo of the same state directory is refused while the first runs, not after."""
    with (
        only_one(tmp_path / "demo"),
        pytest.raises(BadInput, match="a demo is running here already"),
        only_one(tmp_path / "demo"),
    ):
        pass
    with only_one(tmp_path / "demo"):
        pass


def test_journal_that_cannot_be_written(tmp_path: Path) -> None:
    """A journal that the disk refuses is bad input, with a remedy."""
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="free some space"):
        Journal.new(tmp_path / "file" / "journal.json", DAYS, "c1").save()
    with pytest.raises(BadInput, match="free some space"), only_one(tmp_path / "file" / "demo"):
        pass


def test_seconds_add_up_over_attempts(tmp_path: Path) -> None:
    """What a stage took before an interruption counts."""
    journal = Journal.new(tmp_path / "journal.json", DAYS, "c1")
    journal.spend("first", 2)
    journal.spend("first", 3)
    assert journal.seconds == {"first": 5}


def test_second_play_is_in_another_order() -> None:
    """A backfill takes the days in an order that is not theirs, each once, whatever their number."""
    for count in range(2, 30):
        days = [date(2013, 1, 1).replace(day=number + 1) for number in range(count)]
        order = other_order(days)
        assert order != days
        assert sorted(order) == days
        assert order == other_order(days)
