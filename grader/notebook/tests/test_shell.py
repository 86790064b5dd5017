"""`batchlab()` in a cell: what the command says is the cell's output, and so is an exit code that is not 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.notebook import CouldNotRun, batchlab
from grader.notebook.tests.test_picture import stand_in


def test_what_the_command_says_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both of its streams, on standard output: nbgrader gives a cell with stderr no points."""
    code = "print(sys.argv[1:]); print('warned', file=sys.stderr, flush=True); sys.exit(1)"
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, code))
    batchlab("run 'my file.yaml' -p ds=2013-03-09")
    said = capsys.readouterr()
    assert "['run', 'my file.yaml', '-p', 'ds=2013-03-09']" in said.out
    assert "warned" in said.out
    assert said.out.endswith("(exit code 1)\n")
    assert said.err == ""


def test_what_cannot_be_run_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such program, a quotation mark without its end."""
    monkeypatch.setenv("BATCHLAB", str(tmp_path / "none"))
    with pytest.raises(CouldNotRun, match="run make setup"):
        batchlab("runs")
    with pytest.raises(CouldNotRun, match="No closing quotation"):
        batchlab("run 'file")


def test_a_cell_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kernel asks programs for colours; one that believes it would draw its progress over and over."""
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("TERM", "xterm-color")
    code = "import os; print(sorted({'FORCE_COLOR', 'CLICOLOR_FORCE', 'CLICOLOR', 'TERM'} & set(os.environ)))"
    monkeypatch.setenv("BATCHLAB", stand_in(tmp_path, code))
    batchlab("run")
    assert capsys.readouterr().out == "[]\n"
