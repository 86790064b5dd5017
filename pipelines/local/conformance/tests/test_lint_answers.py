"""What `argo lint --offline` said of every file is what lint says here."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from pipelines.local.conformance.cases import GOLDENS, cases, lint_files
from pipelines.local.errors import BadInput
from pipelines.local.manifest import lint, load

# Argo's linter lets these pass; they can never work (the last one not on this machine), and lint here says so.
_MORE_HERE = {
    "lint/cron-schedule-none": "never runs",
    "lint/cron-timezone": "unknown time zone",
    "lint/retry-backoff-duration": "unable to parse soon as a duration",
    "lint/depends-syntax": "unable to evaluate expression",
    "lint/hook-template-undefined": "template name 'nowhere' undefined",
    "resource-manifest-wrong": "is not supported on this machine",
}
_STRICT = "strict decoding error: "


@cache
def _recorded() -> dict[str, list[str]]:
    answers: dict[str, list[str]] = json.loads((GOLDENS / "lint.json").read_text())
    return answers


def _said(files: tuple[Path, ...]) -> list[str]:
    try:
        return [f"{problem.path} {problem.message}".strip() for problem in lint(load(files))]
    except BadInput as error:
        return [str(error)]


def _reasons(recorded: list[str]) -> list[str]:
    """The recorded problem, or several where one line holds several unknown fields."""
    return [part for line in recorded for part in line.removeprefix(_STRICT).split(", unknown")]


_FILES = {f"lint/{path.stem}": (path,) for path in lint_files()}


@pytest.mark.parametrize("name", _FILES)
def test_says_what_argo_says_of_wrong_files(name: str) -> None:
    """The problem that Argo stops at is among those found here, and nothing is found where Argo finds nothing."""
    said, recorded = _said(_FILES[name]), _recorded()[name]
    if name in _MORE_HERE:
        assert recorded == []
        assert len(said) == 1
        assert _MORE_HERE[name] in said[0]
    elif not recorded:
        assert said == []
    else:
        assert [part for part in _reasons(recorded) if not any(_same(part, line) for line in said)] == []


def test_finds_nothing_wrong_with_files_that_argo_accepts() -> None:
    """No case's file that passes Argo's linter is refused here, and none that fails passes."""
    wrong = {}
    for case in cases():
        said, recorded = _said(case.files), _recorded()[case.name]
        if bool(said) != bool(recorded) and case.name not in _MORE_HERE:
            wrong[case.name] = (recorded, said)
    assert wrong == {}


def _same(recorded: str, said: str) -> bool:
    field = recorded.removeprefix('json: unknown field "').rstrip('"')
    return recorded in said or (recorded != field and 'unknown field "' in said and said.endswith(f'{field}"'))
