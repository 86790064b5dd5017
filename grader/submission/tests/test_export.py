"""Writing the reference as a submission, and reading it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.grading.pipeline import Pipeline
from grader.submission import Submission, read, reference
from grader.submission.export import export
from grader.submission.tests.folders import INGEST, WORKFLOW, write
from pipelines.local.errors import BadInput


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    """The reference, written and read back."""
    return read(export(reference(), tmp_path_factory.mktemp("a folder") / "new"))


@pytest.mark.parametrize("name", ["ingest", "transform", "publish", "daily"])
def test_round_trip(exported: Submission, name: str) -> None:
    """What is read back has the same manifests and the same code, so nothing of it is played anew."""
    one, other = (Pipeline(name=name, submission=which, objects=()) for which in (reference(), exported))
    assert one.identity() == other.identity()
    assert exported.pipelines[name].own


def test_everything_is_brought(exported: Submission) -> None:
    """The exported folder stands by itself: nothing of it is taken from the reference but the shared utilities."""
    assert exported.brought >= reference().brought
    places = [exported.dbt, exported.flux, *(one.manifest for one in exported.pipelines.values())]
    assert all(place.is_relative_to(exported.root) for place in places)
    assert exported.dbt == exported.root / "transform" / "dbt"
    assert not list(exported.root.rglob("__pycache__"))
    assert not (exported.root / "ingest" / "tests").exists()
    assert (exported.root / "transform" / "dbt" / "tests").is_dir() == (reference().dbt / "tests").is_dir()


def test_a_change_is_another_identity(exported: Submission, tmp_path: Path) -> None:
    """One changed line of code, of the dbt project or of a manifest is another pipeline, and no other one's."""
    folder = export(exported, tmp_path / "copy")

    def changed(file: str) -> list[str]:
        path = folder / file
        before = path.read_text()
        path.write_text(before.replace("name: ", "name:  x", 1) if file.endswith(".yaml") else f"{before}\n# changed\n")
        try:
            found = read(folder)
            return [
                name
                for name in found.pipelines
                if Pipeline(name=name, submission=found, objects=()).identity()
                != Pipeline(name=name, submission=exported, objects=()).identity()
            ]
        finally:
            path.write_text(before)

    assert changed("ingest/extract.py") == ["ingest"]
    assert changed("transform/dbt/dbt_project.yml") == ["transform"]
    assert changed("publish/workflow.yaml") == ["publish"]
    assert changed("flux/apps/kustomization.yaml") == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder with something in it, and a file, are refused and stay as they were; an empty folder will do."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(BadInput, match="is not empty: nothing is overwritten"):
            export(reference(), tmp_path / name)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert (export(reference(), tmp_path / "empty") / "submission.toml").is_file()


def test_manifests_of_several_files_are_joined(tmp_path: Path) -> None:
    """Files that do not end with a line break become documents of their own, too."""
    text = INGEST.replace("ingest/workflow.yaml", "manifests")
    cron = "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: ingest}\nspec: {schedules: []}"
    files = {"manifests/a.yaml": cron, "manifests/b.yaml": WORKFLOW.rstrip("\n"), "manifests/kustomization.yaml": "x"}
    written = write(tmp_path / "in", text, **files)
    (written / "manifests" / "kustomization.yaml").unlink()
    found = read(export(read(written), tmp_path / "out"))
    own = Pipeline(name="ingest", submission=found, objects=()).own
    assert (list(own.templates), [one["metadata"]["name"] for one in own.crons]) == (["ingest"], ["ingest"])
