"""Every recorded case on the local engine: what Argo's controller answered is what the engine answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from pipelines.local.conformance.cases import Case, cases, own_cases
from pipelines.local.conformance.compare import comparable, differences, normalize
from pipelines.local.conformance.local import run_locally
from pipelines.local.errors import BadInput
from pipelines.local.manifest import lint, load

_AT_ONCE = 6
_INVALID = "invalid spec: "
Answers = Mapping[str, "Future[list[str]]"]


def _parameter(case: Case) -> object:
    marks = [pytest.mark.slow] if case.settings.get("slow") else []
    return pytest.param(case, id=case.name, marks=marks)


_RUN = [_parameter(case) for case in cases() if not case.settings.get("lint")]


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """The disagreements of every selected case, worked out side by side; those that take long begin first."""
    folder = tmp_path_factory.mktemp("conformance")
    selected: list[Case] = [
        cast("Case", item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_agrees_with_the_recording.__name__
    ]
    selected.sort(key=lambda case: not (case.settings.get("long") or case.settings.get("slow")))
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield {case.name: pool.submit(_disagreements, case, folder) for case in selected}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", _RUN)
def test_agrees_with_the_recording(case: Case, answers: Answers) -> None:
    """A run here has the nodes, phases, messages, outputs and attempts of the recorded one."""
    assert answers[case.name].result() == []


def test_there_are_enough_cases() -> None:
    """Neither the files nor their recordings have gone missing."""
    assert len(own_cases()) >= 140
    assert all(case.golden.exists() for case in cases() if not case.settings.get("lint"))


def _disagreements(case: Case, folder: Path) -> list[str]:
    golden = case.recorded()
    message = str(golden.get("message", ""))
    if case.settings.get("refused") or message.startswith(_INVALID):
        return _refusal(case, folder, case.settings.get("refused") or message.removeprefix(_INVALID))
    local = normalize(run_locally(case, folder))
    return differences(comparable(golden, case.settings), comparable(local, case.settings))


def _refusal(case: Case, folder: Path, reason: str) -> list[str]:
    """What a cluster accepts and then fails for its spec is refused here for the same reason, before it starts."""
    found = [problem.message for problem in lint(load(case.files))]
    if not found:
        try:
            run_locally(case, folder)
        except BadInput as error:
            found = [str(error)]
    return [] if any(reason in said or said in reason for said in found) else [f"expected {reason!r}, got {found}"]
