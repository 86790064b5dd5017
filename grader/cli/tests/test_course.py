"""`batchlab start` and `reset`: what a learner sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli import main


def ran(*words: str) -> int:
    """Run a command; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(str(ended.value.code))


def test_a_lab_is_begun_and_begun_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started once; a second start is refused; asked before it is begun again, and kept."""
    monkeypatch.chdir(tmp_path)
    assert ran("start", "3") == 0
    said = capsys.readouterr().out
    assert "make course" in said
    assert "batchlab lab 03\n" in said
    assert "batchlab grade M03 --submission work/03-run-twice" in said
    (tmp_path / "work/03-run-twice/ingest/extract.py").write_text("mine")
    assert ran("start", "3") == 2
    assert "batchlab: work/03-run-twice: is there already: nothing was overwritten" in capsys.readouterr().err
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert ran("reset", "run-twice") == 1
    assert (tmp_path / "work/03-run-twice/ingest/extract.py").read_text() == "mine"
    assert ran("reset", "run-twice", "--yes") == 0
    (kept,) = (tmp_path / "work/kept").iterdir()
    assert (kept / "ingest/extract.py").read_text() == "mine"
    assert (tmp_path / "work/03-run-twice/ingest/extract.py").read_text() != "mine"


def test_labs_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which there are, and which are begun; one that is none is refused with their names."""
    monkeypatch.chdir(tmp_path)
    assert ran("start") == 0
    assert "Run twice, identical" in capsys.readouterr().out
    assert ran("start", "99") == 2
    assert "there is no lab 99" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
