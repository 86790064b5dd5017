"""Publishing an audit branch beside other runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.datatier.dates import LogicalDate
from pipelines.datatier.errors import JobError, Superseded
from pipelines.datatier.publish import ATTEMPTS, publish, staged_branch
from pipelines.datatier.tests.memory import NUMBERS, MemoryCatalog, held, numbers, replace

pytestmark = pytest.mark.filterwarnings("ignore:Delete operation did not match")
DS = LogicalDate.parse("2013-03-09")
WHO = {"batchlab.workflow": "run-1", "batchlab.node": "run-1.write", "batchlab.ds": "2013-03-09"}
BRANCH = "audit_t_20130309"


def _staged(tmp_path: Path, *values: int) -> MemoryCatalog:
    """A table with two days, and a new version of the first one on its branch."""
    catalog = numbers(tmp_path)
    replace(catalog, "2013-03-09", 1, 2)
    replace(catalog, "2013-03-10", 7)
    replace(catalog, "2013-03-09", *values, branch=BRANCH, batchlab_workflow="run-1", batchlab_ds="2013-03-09")
    return catalog


def test_staged_rows_are_not_visible(tmp_path: Path) -> None:
    """Until it is published, everybody sees the old day."""
    assert held(_staged(tmp_path, 3)) == {"2013-03-09": [1, 2], "2013-03-10": [7]}


def test_fast_forward_moves_main_to_the_staged_snapshot(tmp_path: Path) -> None:
    """Where main stayed where it was, no new snapshot is needed, and the branch is gone."""
    catalog = _staged(tmp_path, 3)
    staged = catalog.load_table("t.numbers").metadata.refs[BRANCH].snapshot_id
    done = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert (done.snapshot, done.how, done.rows) == (staged, "fast-forward", 1)
    assert held(catalog) == {"2013-03-09": [3], "2013-03-10": [7]}
    assert set(catalog.load_table("t.numbers").metadata.refs) == {"main"}


def test_another_day_published_meanwhile_stays(tmp_path: Path) -> None:
    """Where another day's run moved main, the staged files are put in place in one commit of this step."""
    catalog = _staged(tmp_path, 3)
    replace(catalog, "2013-03-10", 8, 9)
    before = catalog.load_table("t.numbers").metadata.current_snapshot_id
    done = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    table = catalog.load_table("t.numbers")
    snapshot = table.current_snapshot()
    assert done.how == "re-applied"
    assert held(catalog) == {"2013-03-09": [3], "2013-03-10": [8, 9]}
    assert snapshot is not None
    assert snapshot.parent_snapshot_id == before
    assert snapshot.summary is not None
    assert snapshot.summary.additional_properties["batchlab.node"] == "run-1.write"


def test_a_day_that_lost_its_rows_is_emptied(tmp_path: Path) -> None:
    """An empty staged day takes the old rows away, by both ways."""
    catalog = _staged(tmp_path)
    publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert held(catalog) == {"2013-03-10": [7]}
    other = _staged(tmp_path / "other")
    replace(other, "2013-03-10", 8)
    publish(other, NUMBERS, DS, BRANCH, WHO)
    assert held(other) == {"2013-03-10": [8]}


@pytest.mark.parametrize("moved", [False, True], ids=["before a fast-forward", "before a re-apply"])
def test_a_rival_of_another_day_that_commits_first_costs_one_more_try(tmp_path: Path, moved: bool) -> None:
    """A commit of another day between reading and committing is neither lost nor fatal."""
    catalog = _staged(tmp_path, 3)
    if moved:
        replace(catalog, "2013-03-11", 5)
    catalog.rival = lambda: replace(catalog, "2013-03-10", 8)
    publish(catalog, NUMBERS, DS, BRANCH, WHO)
    expected = {"2013-03-09": [3], "2013-03-10": [8]} | ({"2013-03-11": [5]} if moved else {})
    assert held(catalog) == expected


def test_a_rival_of_the_same_day_is_not_overwritten(tmp_path: Path) -> None:
    """What another run made of the same day since is newer than what was staged: refused, branch kept."""
    catalog = _staged(tmp_path, 3)
    replace(catalog, "2013-03-09", 4)
    with pytest.raises(Superseded, match="day=2013-03-09 was replaced by another run"):
        publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert held(catalog) == {"2013-03-09": [4], "2013-03-10": [7]}
    assert BRANCH in catalog.load_table("t.numbers").metadata.refs


def test_a_rival_of_the_same_day_in_the_last_moment_is_not_overwritten(tmp_path: Path) -> None:
    """The same, when it commits between this step's look and its commit."""
    catalog = _staged(tmp_path, 3)
    replace(catalog, "2013-03-11", 5)
    catalog.rival = lambda: replace(catalog, "2013-03-09", 4)
    with pytest.raises(Superseded):
        publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert held(catalog)["2013-03-09"] == [4]


@pytest.mark.parametrize("late", [False, True], ids=["before", "in the last moment"])
def test_a_compaction_of_the_day_is_no_rival(tmp_path: Path, late: bool) -> None:
    """Who rewrites the day's files and leaves its rows takes nothing from a staged version (a compaction, a MERGE)."""
    catalog = _staged(tmp_path, 3)
    if late:
        replace(catalog, "2013-03-11", 5)
        catalog.rival = lambda: replace(catalog, "2013-03-09", 2, 1)
    else:
        replace(catalog, "2013-03-09", 2, 1)
    done = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert (done.how, done.rows) == ("re-applied", 1)
    assert held(catalog) == {"2013-03-09": [3], "2013-03-10": [7]} | ({"2013-03-11": [5]} if late else {})


def test_an_attempt_cut_short_before_a_compaction_is_gone_on_with(tmp_path: Path) -> None:
    """The staged rows are visible already, in files that somebody has rewritten: there is nothing left to commit."""
    catalog = _staged(tmp_path, 3, 4)
    replace(catalog, "2013-03-09", 4, 3)
    before = catalog.load_table("t.numbers").metadata.current_snapshot_id
    assert publish(catalog, NUMBERS, DS, BRANCH, WHO).snapshot == before
    assert set(catalog.load_table("t.numbers").metadata.refs) == {"main"}


def test_a_second_attempt_finds_what_the_first_published(tmp_path: Path) -> None:
    """A step that publishes two tables and dies between them can be retried."""
    catalog = _staged(tmp_path, 3)
    first = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    again = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert (again.how, again.snapshot, again.rows) == ("published before", first.snapshot, 1)


def test_nothing_staged_is_an_error(tmp_path: Path) -> None:
    """A run that never staged is not taken for one that published."""
    catalog = _staged(tmp_path, 3)
    with pytest.raises(JobError, match="nothing is staged for 2013-03-09"):
        publish(catalog, NUMBERS, DS, "audit_other", WHO | {"batchlab.workflow": "run-2"})


def test_rivals_without_end_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries are counted; the message says what to do."""
    monkeypatch.setattr("pipelines.datatier.publish.time.sleep", lambda _seconds: None)
    catalog = _staged(tmp_path, 3)
    catalog.losing = 10 * ATTEMPTS
    with pytest.raises(JobError, match="other commits came first"):
        publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert held(catalog)["2013-03-09"] == [1, 2]


def test_a_step_that_publishes_several_tables_can_go_on_after_a_kill(tmp_path: Path) -> None:
    """What this run published already is not missed on its branch; what nobody staged, or another run published, is."""
    catalog = _staged(tmp_path, 3)
    assert staged_branch(catalog, NUMBERS, DS, BRANCH, WHO) == BRANCH
    publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert staged_branch(catalog, NUMBERS, DS, BRANCH, WHO) is None
    with pytest.raises(JobError, match="nothing is staged"):
        staged_branch(catalog, NUMBERS, DS, BRANCH, {**WHO, "batchlab.workflow": "run-2"})
