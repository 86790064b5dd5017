"""The built package: what an installed `batchlab` needs is in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    build = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("batchlab-*.whl"))


def test_data_files_are_in_it(wheel: Path) -> None:
    """Everything that is not Python but is needed at run time is packaged."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "pipelines/local/spark/jars.lock",
        "pipelines/local/lang/go/go.sum",
        "pipelines/transform/dbt/dbt_project.yml",
        "pipelines/DATA.md",
    ):
        assert needed in names
    assert any(name.startswith("grader/report/templates/") for name in names)


def test_it_works_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    """The command line of the wheel, not of the checkout, answers from any folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = "import sys, grader.cli; print(grader.cli.__file__); grader.cli.main(['--help'])"
    path = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
    )
    assert str(tmp_path / "site") in done.stdout, done.stderr
    assert "doctor" in done.stdout
