"""Spark SQL on a real catalog: what a statement gives, what one does, and what a wrong one says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from grader.cli.sql import sql
from grader.query import ask
from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    """A state directory with a table of three rows in two partitions, whose servers are stopped in the end."""
    made = StateDir(root=tmp_path_factory.mktemp("sql"))
    ask(
        made,
        [
            "CREATE NAMESPACE lake.scratch",
            "CREATE TABLE lake.scratch.t (day date, n decimal(9,2)) USING iceberg PARTITIONED BY (day)",
            "INSERT INTO lake.scratch.t VALUES (DATE'2013-03-09', 1.5), (DATE'2013-03-09', NULL)",
            "INSERT INTO lake.scratch.t VALUES (DATE'2013-03-10', 2)",
        ],
        most=1,
    )
    yield made
    Platform(made).stop()


def test_a_statement_gives_texts(state: StateDir) -> None:
    """Dates, decimals and NULL as Spark writes them; a column's name may occur twice; the last row is left off."""
    (first, second) = ask(
        state, ["SELECT day, n, n FROM lake.scratch.t ORDER BY n NULLS FIRST", "SHOW TABLES IN lake.scratch"], most=2
    )
    assert first.columns == ["day", "n", "n"]
    assert first.rows == [["2013-03-09", None, None], ["2013-03-09", "1.50", "1.50"]]
    assert first.more
    assert [row[1] for row in second.rows] == ["t"]
    assert not second.more


def test_what_iceberg_knows_of_a_table_can_be_asked(state: StateDir) -> None:
    """Metadata tables and earlier contents: what lab texts, and the queries of verdicts, use."""
    asked = "SELECT snapshot_id, operation FROM lake.scratch.t.snapshots ORDER BY committed_at"
    (snapshots,) = ask(state, [asked], most=5)
    assert [row[1] for row in snapshots.rows] == ["append", "append"]
    snapshot = snapshots.rows[-1][0]
    wanted = [
        "DELETE FROM lake.scratch.t WHERE day = DATE'2013-03-09'",
        f"SELECT count(*) FROM lake.scratch.t VERSION AS OF {snapshot}",
        "SELECT count(*) FROM lake.scratch.t",
    ]
    (done, before, after) = ask(state, wanted, most=5)
    assert done.columns == []
    assert (before.rows, after.rows) == ([["3"]], [["1"]])


def test_a_wrong_statement_is_named(state: StateDir) -> None:
    """Spark's own words in one line, and which statement it was; the ones before it were run."""
    with pytest.raises(BadInput, match=r"SELECT nothing: .*UNRESOLVED_COLUMN") as caught:
        ask(state, ["CREATE NAMESPACE IF NOT EXISTS lake.kept", "SELECT nothing", "SELECT 1"], most=5)
    assert "\n" not in str(caught.value)
    assert ["kept"] in ask(state, ["SHOW NAMESPACES IN lake"], most=9)[0].rows


def test_the_command_prints_a_table_or_json(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NULL is said, and that there is more."""
    monkeypatch.setenv("BATCHLAB_HOME", str(state.root))
    sql.main(["SELECT explode(array(NULL, 7, 8)) AS number", "--limit", "2"], standalone_mode=False)
    said = capsys.readouterr().out
    assert " ".join(said.split()) == "number NULL 7 … only the first 2 rows; --limit shows more"
    sql.main(["SELECT 'é' AS text", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == {"answers": [{"columns": ["text"], "rows": [["é"]], "more": False}]}
