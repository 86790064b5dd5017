"""`--submission` of run, cron and backfill: a folder's own manifests, and its own code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.cli import main
from grader.course.labs import RELEASED
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

DAYS = ("--from", "2013-03-09", "--to", "2013-03-10")


def ran(*words: str) -> int:
    """Run a command; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(str(ended.value.code))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's copy of a lab, and a state directory of its own."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "state"))
    shutil.copytree(RELEASED / "03-run-twice", tmp_path / "mine")
    return tmp_path / "mine"


def test_a_folders_own_schedule_is_played(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its CronWorkflow counts, not the reference's of the same name; what it has not is the reference's."""
    manifest = folder / "ingest" / "workflow.yaml"
    text = manifest.read_text()
    assert text.count("- 0 4 * * *") == 1
    manifest.write_text(text.replace("- 0 4 * * *", "- 15 9 * * *"))
    assert ran("cron", "--submission", str(folder), "--name", "ingest", *DAYS, "--plan") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("2013-03-09T14:15:00Z")
    assert first.endswith("ds 2013-03-08")
    assert ran("backfill", "--submission", str(folder), "--name", "daily", *DAYS, "--plan") == 0
    assert [line[:10] for line in capsys.readouterr().out.splitlines()] == ["2013-03-09", "2013-03-10"]


@pytest.mark.parametrize("command", [("run",), ("cron", *DAYS), ("backfill", *DAYS)], ids=lambda words: words[0])
def test_nothing_to_run_is_said(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a file nor a folder; a folder that is no submission."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "state"))
    assert ran(*command) == 2
    assert "name a FILE, or a folder with a submission.toml: --submission DIR" in capsys.readouterr().err
    assert ran(*command, "--submission", str(tmp_path)) == 2
    assert "there is no submission.toml" in capsys.readouterr().err


@pytest.mark.slow
def test_a_folders_own_code_is_run(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that the learner has broken fails with the learner's message."""
    check = folder / "ingest" / "extract.py"
    check.write_text('raise SystemExit("this is my own extract")\n')
    try:
        assert ran("run", "--submission", str(folder), "--name", "ingest", "-p", "ds=2013-03-09", "--virtual-time") == 1
    finally:
        Platform(StateDir(root=tmp_path / "state")).stop()
    logs = [path.read_text(errors="replace") for path in (tmp_path / "state").rglob("*.log")]
    assert any("this is my own extract" in text for text in logs)
    assert "Failed" in capsys.readouterr().err


def test_a_run_of_the_same_name_is_refused_or_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Workflow with a name of its own runs once; with --again the earlier run makes room, if there is one."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "state"))
    file = tmp_path / "once.yaml"
    file.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: once}\n"
        "spec: {entrypoint: main, templates: [{name: main, steps: []}]}\n"
    )
    assert ran("run", str(file), "--again") == 0
    assert ran("run", str(file)) == 2
    assert "a run named once exists already; let generateName name each run, or" in capsys.readouterr().err
    assert ran("run", str(file), "--again") == 0
    assert ran("runs", "--json") == 0
    assert capsys.readouterr().out.count('"name": "once"') == 1
