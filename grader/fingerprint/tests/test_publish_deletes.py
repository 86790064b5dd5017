"""Publishing a day that was staged by merge-on-read: rows that its delete files take away stay away."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.fingerprint.tests.row_delta import delete_rows, positions
from pipelines.datatier.errors import Superseded
from pipelines.datatier.publish import publish
from pipelines.datatier.tests.memory import NUMBERS, MemoryCatalog, held, numbers, replace
from pipelines.datatier.tests.test_publish import BRANCH, DS, WHO

pytestmark = pytest.mark.filterwarnings("ignore:Delete operation did not match")


def _staged(tmp_path: Path) -> MemoryCatalog:
    """Two days, and a branch on which a row of the first one is deleted and two are new, as a MERGE does it."""
    catalog = numbers(tmp_path)
    replace(catalog, "2013-03-09", 1, 2)
    replace(catalog, "2013-03-10", 7)
    replace(catalog, "2013-03-09", 2, 3, 4, branch=BRANCH, batchlab_workflow="run-1", batchlab_ds="2013-03-09")
    table = catalog.load_table("t.numbers")
    (task,) = table.scan("day = '2013-03-09'", snapshot_id=table.metadata.refs[BRANCH].snapshot_id).plan_files()
    delete = positions(tmp_path / "deletes.parquet", task.file.partition, [(task.file.file_path, 1)])
    delete_rows(table, delete, branch=BRANCH)
    return catalog


def test_deleted_rows_stay_away_where_main_stood_still(tmp_path: Path) -> None:
    """The snapshot of the branch, with its delete files, is made the one that everybody sees."""
    catalog = _staged(tmp_path)
    done = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert (done.how, done.rows) == ("fast-forward", 2)
    assert held(catalog) == {"2013-03-09": [2, 4], "2013-03-10": [7]}


@pytest.mark.parametrize("late", [False, True], ids=["before", "in the last moment"])
def test_deleted_rows_stay_away_beside_other_days(tmp_path: Path, late: bool) -> None:
    """Where another day's run moved main, the rows that are left are written anew."""
    catalog = _staged(tmp_path)
    replace(catalog, "2013-03-11", 5)
    if late:
        catalog.rival = lambda: replace(catalog, "2013-03-10", 8)
    done = publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert (done.how, done.rows) == ("re-applied", 2)
    assert held(catalog) == {"2013-03-09": [2, 4], "2013-03-10": [8 if late else 7], "2013-03-11": [5]}
    table = catalog.load_table("t.numbers")
    found = table.snapshot_by_id(done.snapshot)
    assert found is not None
    assert found.summary is not None
    assert found.summary.additional_properties["batchlab.node"] == "run-1.write"


def test_a_rival_of_the_same_day_in_the_last_moment_is_not_overwritten(tmp_path: Path) -> None:
    """Rewriting is a compare-and-swap as well."""
    catalog = _staged(tmp_path)
    replace(catalog, "2013-03-11", 5)
    catalog.rival = lambda: replace(catalog, "2013-03-09", 6)
    with pytest.raises(Superseded):
        publish(catalog, NUMBERS, DS, BRANCH, WHO)
    assert held(catalog)["2013-03-09"] == [6]
