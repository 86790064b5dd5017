"""Hidden checks: loaded from a folder, run like the others, and named without showing their code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from grader.checks.hidden import is_hidden, load
from grader.checks.probe import Probe
from grader.checks.runner import run
from pipelines.local.errors import BadInput

GOOD = '''
from grader.checks.model import Failure, Passed
from grader.checks.registry import Registry

HIDDEN = Registry("M03")


@HIDDEN.check("hidden-two", points=2, needs=())
def two(probe):
    """Two runs are there."""
    if len(probe.runs()) < 2:
        raise Failure("there are fewer than two runs")
    return Passed(f"there are {len(probe.runs())} runs")
'''


class TwoRuns:
    """As much of a probe as the check looks at."""

    def has(self, need: str) -> bool:
        return False

    def runs(self) -> list[Any]:
        return [None, None]


def test_a_file_of_the_folder_declares_a_check_that_runs(tmp_path: Path) -> None:
    """It has title, weight and item like any other, and looks at the same probe."""
    (tmp_path / "runs.py").write_text(GOOD)
    (check,) = load(tmp_path)
    assert (check.id, check.item, check.points, check.title) == ("M03-hidden-two", "M03", 2, "Two runs are there.")
    assert is_hidden(check)
    (result,) = run([check], cast("Probe", TwoRuns()))
    assert result.outcome == "pass"
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace('Registry("M03")', 'Registry("M77")'), "runs.py: there is no item M77"),
        (GOOD.replace('"hidden-two"', '"two"'), "runs.py: M03-two must be called M03-hidden-…"),
        (GOOD.replace("needs=()", 'depends=("M03-none",)'), "runs.py: M03-hidden-two depends on M03-none, which"),
        ("SECRET = undefined_name", "runs.py: cannot be loaded: NameError"),
        ("def secret(:", "runs.py: cannot be loaded: SyntaxError"),
        ("x = 1", "no file of it declares a check"),
    ],
)
def test_what_cannot_be_used_is_refused_without_quoting_it(tmp_path: Path, text: str, message: str) -> None:
    """The message has file and mistake; nothing of the code."""
    (tmp_path / "runs.py").write_text(text)
    with pytest.raises(BadInput) as caught:
        load(tmp_path)
    assert message in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert "undefined_name" not in str(caught.value)


def test_two_files_cannot_declare_the_same_check(tmp_path: Path) -> None:
    """Ids are unique over files; a folder that is not there is said to be so."""
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(BadInput, match=r"b\.py: M03-hidden-two is declared twice"):
        load(tmp_path)
    with pytest.raises(BadInput, match="there is no such folder"):
        load(tmp_path / "none")
