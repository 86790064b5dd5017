"""`sql()` in a cell: rows as a table with words, or one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.notebook import CouldNotAsk, sql
from grader.notebook.tests.test_picture import stand_in

ANSWERS = """
assert sys.argv[1:] == ["sql", "USE lake", "SELECT 1", "--limit", "3", "--json"], sys.argv
rows = [["<b>", None], ["2", "3"]]
print(json.dumps({"answers": [{"columns": [], "rows": [], "more": False},
                              {"columns": ["a", "b"], "rows": rows, "more": True}]}))
"""


def test_the_last_answer_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escaped, with NULL written out, and a word where there is more; its rows can be used."""
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, ANSWERS))
    found = sql("USE lake", "SELECT 1", limit=3)
    assert list(found) == [["<b>", None], ["2", "3"]]
    assert len(found) == 2
    assert repr(found).splitlines() == ["a | b", "<b> | NULL", "2 | 3", "…"]
    html = found._repr_html_()
    assert '<th scope="col">a</th>' in html
    assert "<td>&lt;b&gt;</td><td>NULL</td>" in html
    assert "the first 2 rows" in html


def test_a_statement_without_rows_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a DELETE."""
    answer = "print(json.dumps({'answers': [{'columns': [], 'rows': [], 'more': False}]}))"
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, answer))
    assert repr(sql("DELETE FROM lake.t")) == "done"
    assert "done" in sql("DELETE FROM lake.t")._repr_html_()


def test_what_is_wrong_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's words, or that there is nothing to run."""
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, "print('batchlab: SELEC: no', file=sys.stderr); sys.exit(2)"))
    with pytest.raises(CouldNotAsk, match="SELEC: no"):
        sql("SELEC")
    with pytest.raises(CouldNotAsk, match="needs a statement"):
        sql()
