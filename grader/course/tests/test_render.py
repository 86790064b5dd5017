"""A manifest is written anew from the learner's own `workflow.py`, or left as it is with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grader.cli import main
from grader.course.render import can_be_rendered, difference, rendered, write
from grader.submission import read, reference
from grader.submission.export import export
from pipelines.local.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the reference as a submission."""
    return export(reference(), tmp_path / "mine")


def test_the_references_manifests_are_what_its_code_says(folder: Path) -> None:
    """All three can be rendered, and nothing differs."""
    given = read(folder)
    assert can_be_rendered(given) == ["ingest", "transform", "publish"]
    assert [difference(given, name) for name in can_be_rendered(given)] == [[], [], []]


def test_a_change_of_the_code_gets_into_the_manifest(folder: Path) -> None:
    """The learner's own folder is imported, not the kit's; the other documents stay."""
    code = folder / "transform" / "workflow.py"
    code.write_text(code.read_text().replace('cron="0 5 * * *"', 'cron="30 4 * * *"'))
    given = read(folder)
    assert any(line.startswith("-") and "0 5 * * *" in line for line in difference(given, "transform"))
    assert write(given, "transform") == folder / "transform" / "workflow.yaml"
    documents = list(yaml.safe_load_all((folder / "transform" / "workflow.yaml").read_text()))
    assert [each["kind"] for each in documents] == ["CronWorkflow", "WorkflowTemplate"]
    assert documents[0]["spec"]["schedules"] == ["30 4 * * *"]
    assert difference(read(folder), "transform") == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\nmanifest = unknown\n", "ingest/workflow.py line 2: NameError: name 'unknown' is not defined"),
        ("x = (\n", "ingest/workflow.py line 1: SyntaxError"),
        ("raise SystemExit(0)\n", "ingest/workflow.py line 1: SystemExit: 0"),
        ("print('hello')\n", "AttributeError"),
        ("import os\nos._exit(0)\n", "ended without a word"),
    ],
)
def test_code_that_does_not_run_leaves_the_manifest(folder: Path, code: str, said: str) -> None:
    """The message has file and line; nothing is written."""
    (folder / "ingest" / "workflow.py").write_text(code)
    before = (folder / "ingest" / "workflow.yaml").read_text()
    with pytest.raises(BadInput) as refused:
        write(read(folder), "ingest")
    assert said in str(refused.value)
    assert (folder / "ingest" / "workflow.yaml").read_text() == before


def test_what_has_no_code_of_its_own_is_refused(folder: Path) -> None:
    """A pipeline that is the reference's, or that is none."""
    with pytest.raises(BadInput, match="no pipeline daily") as refused:
        rendered(read(folder), "daily")
    assert "it has: ingest, transform, publish" in str(refused.value)


def test_the_command_checks_and_writes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` shows what differs; without it, it is written."""
    code = folder / "ingest" / "workflow.py"
    code.write_text(code.read_text().replace('TITLE = "', 'TITLE = "Mine: '))
    for words, expected in ((["--check"], 1), ([], 0), (["--check", "ingest"], 0), (["nothing"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(["render", "--submission", str(folder), *words])
        assert ended.value.code == expected, words
    assert "Mine: " in capsys.readouterr().out
