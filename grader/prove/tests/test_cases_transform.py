"""Cases of transform and lineage: each fits the reference as it is, and names a check that there is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.checks.catalog import CHECKS
from grader.prove.cases import CASES as ALL
from grader.prove.model import Case
from grader.prove.mutants import lineage, transform
from grader.prove.prove import checks_for
from grader.prove.variants import transform as variants
from grader.submission import read, reference
from grader.submission.export import export

CASES = (*transform.CASES, *lineage.CASES, *variants.CASES)
KNOWN = {check.id: check for check in CHECKS}
DBT = [case for case in CASES if any(edit.file.startswith("transform/dbt/") for edit in case.edits)]


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
    """No two cases of all have the same id, and these are among them."""
    assert len({case.id for case in ALL}) == len(ALL)
    assert set(CASES) <= set(ALL)


@pytest.mark.parametrize("case", CASES, ids=ident)
def test_case_fits_the_reference(case: Case, source: Path) -> None:
    """Every edit finds its text, and leaves manifests and Python that can be read."""
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    case.write(source)
    assert before != {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    assert read(source).documents.all
    for path in {source / edit.file for edit in case.edits if edit.file.endswith(".py")}:
        ast.parse(path.read_text(encoding="utf-8"))
    assert {edit.file.partition("/")[0] for edit in case.edits} <= set(case.scope)


@pytest.mark.parametrize("case", CASES, ids=ident)
def test_case_is_judged_by_a_check_of_its_scope(case: Case) -> None:
    """A mutant names a check that looks at what it changes; a variant is looked at by several."""
    assert case.title[0].isupper() and case.title.endswith(".")  # noqa: PT018
    assert bool(case.check) == (case.kind == "mutant")
    judged = {check.id for check in checks_for(case)}
    assert case.check in judged if case.check else len(judged) > 9


@pytest.mark.slow
@pytest.mark.parametrize("case", DBT, ids=ident)
def test_dbt_can_parse_the_project(case: Case, source: Path, tmp_path: Path) -> None:
    """What a case makes of the dbt project is one: it fails, if it does, by what it builds."""
    from dbt.cli.main import dbtRunner

    case.write(source)
    project = source / "transform" / "dbt"
    done = dbtRunner().invoke(
        [
            "--quiet", "--no-send-anonymous-usage-stats", "--no-version-check", "--log-level-file=none",
            "--no-partial-parse", "parse", f"--project-dir={project}", f"--profiles-dir={project}",
            f"--target-path={tmp_path}", f"--log-path={tmp_path}", "--vars={ds: 2013-03-09}",
        ]
    )  # fmt: skip
    assert done.success, done.exception
