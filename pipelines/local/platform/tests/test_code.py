"""Snapshots of code: one folder per content."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.platform.code import snapshot
from pipelines.local.state import StateDir


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small `pipelines` folder."""
    for name, text in {
        "datatier/a.py": "A = 1\n",
        "ingest/extract.py": "import pipelines.datatier.a\n",
        "ingest/tests/test_extract.py": "",
        "transform/dbt/tests/unique.sql": "select 1",
        "transform/dbt/target/manifest.json": "{}",
        "local/kit.py": "",
    }.items():
        path = tmp_path / "pipelines" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "pipelines"


def test_snapshot_holds_what_runs_and_nothing_else(tree: Path, tmp_path: Path) -> None:
    """A dbt project's tests are part of it; Python tests, build output and the kit itself are not."""
    made = snapshot(StateDir(root=tmp_path / "state"), tree=tree)
    found = {path.relative_to(made.root).as_posix() for path in made.root.rglob("*") if path.is_file()}
    assert found == {
        "pipelines/__init__.py",
        "pipelines/datatier/a.py",
        "pipelines/ingest/extract.py",
        "pipelines/transform/dbt/tests/unique.sql",
    }
    assert made.image == f"batchlab/work:{made.hash}"


def test_name_follows_content(tree: Path, tmp_path: Path) -> None:
    """The same content has the same name, any change another, and the earlier copy stays as it was."""
    state = StateDir(root=tmp_path / "state")
    first = snapshot(state, tree=tree)
    assert snapshot(state, tree=tree) == first
    (tree / "datatier" / "a.py").write_text("A = 2\n")
    second = snapshot(state, tree=tree)
    assert second.hash != first.hash
    assert (first.root / "pipelines/datatier/a.py").read_text() == "A = 1\n"


def test_submission_replaces_a_part(tree: Path, tmp_path: Path) -> None:
    """A submission's folder takes the place of the reference's."""
    own = tmp_path / "work" / "ingest"
    own.mkdir(parents=True)
    (own / "extract.py").write_text("MINE = True\n")
    made = snapshot(StateDir(root=tmp_path / "state"), tree=tree, replaced={"ingest": own})
    assert (made.root / "pipelines/ingest/extract.py").read_text() == "MINE = True\n"
    assert (made.root / "pipelines/datatier/a.py").exists()


def test_tests_of_a_dbt_project_run(tree: Path, tmp_path: Path) -> None:
    """Also where a submission's own dbt project takes the place of the reference's, and whatever its folder."""
    own = tmp_path / "work"
    for name in ("transform/tests/test_curate.py", "dbt/tests/mine.sql", "dbt/dbt_project.yml", "transform/curate.py"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text("")
    replaced = {"transform": own / "transform", "transform/dbt": own / "dbt"}
    made = snapshot(StateDir(root=tmp_path / "state"), tree=tree, replaced=replaced)
    transform = made.root / "pipelines" / "transform"
    found = {path.relative_to(transform).as_posix() for path in transform.rglob("*") if path.is_file()}
    assert found == {"curate.py", "dbt/dbt_project.yml", "dbt/tests/mine.sql"}


def test_missing_folder_is_named(tree: Path, tmp_path: Path) -> None:
    """A code folder that is not there is told by name."""
    with pytest.raises(BadInput, match="no such code folder"):
        snapshot(StateDir(root=tmp_path / "state"), tree=tree, replaced={"ingest": tmp_path / "absent"})
