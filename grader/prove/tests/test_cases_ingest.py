"""Cases of ingest, publish and the manifests: they fit the reference, and those that need no run are proven here."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from grader.checks.catalog import CHECKS
from grader.checks.local import LocalProbe
from grader.checks.runner import run
from grader.fingerprint.lake import Lake
from grader.fingerprint.tests.memory import MemoryCatalog
from grader.grading.grade import choose
from grader.prove.model import Case
from grader.prove.mutants import ingest, manifests, publish
from grader.prove.variants import ingest as ingest_variants
from grader.prove.variants import publish as publish_variants
from grader.submission import read, reference
from grader.submission.export import export
from pipelines.local.platform import Platform, objects
from pipelines.local.state import StateDir

MUTANTS = (*ingest.CASES, *publish.CASES, *manifests.CASES)
CASES = (*MUTANTS, *ingest_variants.CASES, *publish_variants.CASES)
KNOWN = {check.id: check for check in CHECKS}
AT_REST = [
    case
    for case in CASES
    if (not KNOWN[case.check].needs if case.check else any(edit.file.endswith(".yaml") for edit in case.edits))
]
"""Cases that can be judged without a run: mutants whose check needs none, and variants of the manifests."""


class Stopped(Platform):
    """A platform that is not started: its ConfigMap says so much as a schedule asks for."""

    def objects(self, *, image: str = "", instead: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Give the ConfigMap."""
        return [objects.config_map({"yearShift": "0"})]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference as a folder."""
    return export(reference(), tmp_path_factory.mktemp("reference") / "submission")


@pytest.fixture
def source(exported: Path) -> Iterator[Path]:
    """The exported reference, put back after a test has changed it."""
    kept = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    yield exported
    for path in [path for path in exported.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()
    for path, content in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


def ident(case: Case) -> str:
    """Name a test after its case."""
    return case.id


def test_ids_are_unique() -> None:
    """No two cases have the same id."""
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=ident)
def test_case_fits_the_reference(case: Case, source: Path) -> None:
    """A case changes files that are there, leaves code and manifests that can be read, and says what it is."""
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    case.write(source)
    assert before != {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    assert read(source).documents.all
    for path in {source / edit.file for edit in case.edits if edit.file.endswith(".py")}:
        ast.parse(path.read_text(encoding="utf-8"))
    assert case.title[0].isupper() and case.title.endswith(".")  # noqa: PT018
    assert (case.check in KNOWN) == (case.kind == "mutant")
    assert {edit.file.partition("/")[0] for edit in case.edits} <= {*case.scope, "daily"}


@pytest.mark.parametrize("case", AT_REST, ids=ident)
def test_what_needs_no_run_is_judged_right(case: Case, source: Path, tmp_path: Path) -> None:
    """Without a run, the intended check fails each mutant of the manifests, and no check fails a variant."""
    case.write(source)
    state = StateDir(root=tmp_path / "home")
    probe = LocalProbe(
        state=state, platform=Stopped(state), documents=read(source).documents, days=(), made=[],
        begun=datetime.now(timezone.utc), lake=Lake(catalog=MemoryCatalog(tmp_path)),
    )  # fmt: skip
    names = [case.check] if case.kind == "mutant" else [check.id for check in CHECKS if not check.needs]
    found = {result.check.id: result for result in run(choose(names, faults=True), probe)}
    if case.kind == "mutant":
        assert found[case.check].outcome == "fail", found[case.check].rationale
        assert found[case.check].hints
    else:
        assert {name: one.rationale for name, one in found.items() if one.outcome != "pass"} == {}
