"""Reading a submission: what it brings, what the reference stands in for, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.submission import read, reference, seeded
from grader.submission.tests.folders import INGEST, WORKFLOW, write
from pipelines.local.errors import BadInput

MANIFEST = '[pipelines.ingest]\nmanifest = "ingest/workflow.yaml"\n'


def refused(root: Path) -> str:
    """Read a submission that must be refused; gives the one line that says why."""
    with pytest.raises(BadInput) as caught:
        read(root)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_what_is_left_out_comes_from_the_reference(tmp_path: Path) -> None:
    """One pipeline is the submission's own; the others, dbt, Flux and shared code are the reference's."""
    found, whole = read(write(tmp_path)), reference()
    assert found.brought == {"pipelines.ingest"}
    assert list(found.pipelines) == ["ingest", "transform", "publish", "daily"]
    ingest = found.pipelines["ingest"]
    assert (ingest.own, ingest.code, ingest.manifest) == (True, tmp_path / "ingest", tmp_path / "ingest/workflow.yaml")
    assert {name: found.pipelines[name] for name in ("transform", "publish", "daily")} == {
        name: whole.pipelines[name] for name in ("transform", "publish", "daily")
    }
    assert not any(found.pipelines[name].own for name in ("transform", "publish", "daily"))
    assert (found.dbt, found.flux, found.datatier) == (whole.dbt, whole.flux, whole.datatier)
    assert found.folders() == {**whole.folders(), "ingest": tmp_path / "ingest"}
    assert set(found.documents.templates) == {"ingest", "transform", "publish", "daily"}


def test_code_that_is_left_out(tmp_path: Path) -> None:
    """A pipeline that brings its manifest only runs the reference's code; one that the reference lacks has none."""
    text = f'{MANIFEST}[pipelines.report]\nmanifest = "report.yaml"\n'
    found = read(write(tmp_path, text, **{"report.yaml": WORKFLOW.replace("name: ingest", "name: report")}))
    assert found.pipelines["ingest"].code == reference().pipelines["ingest"].code
    assert found.pipelines["report"].code is None
    assert found.brought == {"pipelines.ingest", "pipelines.report"}
    assert set(found.folders()) == set(reference().folders())


def test_everything_is_brought(tmp_path: Path) -> None:
    """Each part that is named counts; shared code is taken, and earns nothing by itself."""
    text = f'{INGEST}[dbt]\nproject = "models"\n[flux]\npath = "flux"\n[datatier]\ncode = "shared"\n'
    found = read(write(tmp_path, text, **{"models/x": "", "flux/x": "", "shared/x": ""}))
    assert found.brought == {"pipelines.ingest", "dbt", "flux"}
    assert (found.dbt, found.flux, found.datatier) == (tmp_path / "models", tmp_path / "flux", tmp_path / "shared")
    assert found.folders()["transform/dbt"] == tmp_path / "models"


def test_a_dbt_project_inside_transform_counts(tmp_path: Path) -> None:
    """Who brings transform's code with a dbt project in it need not name the project."""
    text = '[pipelines.transform]\nmanifest = "ingest/workflow.yaml"\ncode = "transform"\n'
    bare = read(write(tmp_path / "bare", text, **{"transform/curate.py": ""}))
    assert bare.brought == {"pipelines.transform"}
    assert bare.dbt == reference().dbt
    found = read(write(tmp_path / "full", text, **{"transform/dbt/dbt_project.yml": "name: mine\n"}))
    assert found.brought == {"pipelines.transform", "dbt"}
    assert found.dbt == tmp_path / "full" / "transform" / "dbt"


def test_the_references_dbt_project_does_not_count(tmp_path: Path) -> None:
    """Who brings transform's manifest only has not brought the dbt project that lies in the reference's code."""
    found = read(write(tmp_path, '[pipelines.transform]\nmanifest = "ingest/workflow.yaml"\n'))
    assert found.brought == {"pipelines.transform"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[pipelines", "is no TOML"),
        ("", "it brings nothing to grade"),
        ("[pipelines]\n", "it brings nothing to grade"),
        ('[datatier]\ncode = "ingest"\n', "it brings nothing to grade"),
        ("[pipeline.ingest]\n", "unknown: pipeline; known are: datatier, dbt, flux, pipelines"),
        (f"{INGEST}entrypoint = 1\n", "pipelines.ingest: unknown: entrypoint"),
        (f'{INGEST}[dbt]\npath = "ingest"\n', "submission.toml: dbt: unknown: path"),
        ("pipelines = 3\n", "pipelines must be a table, such as [pipelines.ingest]"),
        ("[pipelines]\ningest = true\n", "pipelines.ingest: must be a table with manifest and code"),
        ('[pipelines.ingest]\ncode = "ingest"\n', "pipelines.ingest: has no manifest"),
        ("[pipelines.ingest]\nmanifest = 7\n", "pipelines.ingest.manifest: must be a path"),
        ('[pipelines.ingest]\nmanifest = ""\n', "pipelines.ingest.manifest: must be a path"),
        (f"{MANIFEST}code = ['ingest']\n", "pipelines.ingest.code: must be a path"),
        (f'{MANIFEST}code = "ingest/extract.py"\n', "is no folder"),
        (f'{MANIFEST}code = "elsewhere"\n', "'elsewhere': is not there"),
        ('[pipelines.ingest]\nmanifest = "ingest/none.yaml"\n', "'ingest/none.yaml': is not there"),
        ('[pipelines.ingest]\nmanifest = "../other/workflow.yaml"\n', "leads out of the submission's folder"),
        ('[pipelines.ingest]\nmanifest = "/etc/passwd"\n', "leads out of the submission's folder"),
        (f'{MANIFEST}code = ".."\n', "leads out of the submission's folder"),
        (f'dbt = "ingest"\n{INGEST}', "dbt must be a table, such as [dbt]"),
        (f"{INGEST}[dbt]\n", "submission.toml: dbt: has no project"),
        (f"{INGEST}[flux]\npath = 1\n", "flux.path: must be a path"),
        (f'{INGEST}[flux]\npath = "ingest/workflow.yaml"\n', "is no folder"),
        ('[pipelines.local]\nmanifest = "ingest/workflow.yaml"\ncode = "ingest"\n', "is no name for a pipeline"),
        ('[pipelines.datatier]\nmanifest = "ingest/workflow.yaml"\n', "is no name for a pipeline"),
        ('[pipelines."../x"]\nmanifest = "ingest/workflow.yaml"\n', "is no name for a pipeline"),
    ],
)
def test_wrong_submissions(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake is refused in one line that names its place."""
    assert words in refused(write(tmp_path / "here", text))


def test_a_seed_draws_the_days(tmp_path: Path) -> None:
    """Its own, the course's where it has none, or another one that somebody gives."""
    assert read(write(tmp_path / "a", INGEST)).seed == 0
    mine = read(write(tmp_path / "b", f"seed = 7\n{INGEST}"))
    assert mine.seed == 7
    assert (seeded(mine, 3).seed, seeded(mine, None).seed) == (3, 7)
    assert seeded(mine, 3).pipelines == mine.pipelines


@pytest.mark.parametrize("seed", ["-1", "true", '"7"', "7.0", str(2**31)])
def test_what_is_no_seed_is_refused(tmp_path: Path, seed: str) -> None:
    """With the place, and what it may be."""
    with pytest.raises(BadInput, match=r"submission.toml: seed: .* from 0 to 2147483647"):
        read(write(tmp_path, f"seed = {seed}\n{INGEST}"))


def test_no_submission(tmp_path: Path) -> None:
    """No folder, a folder without the file, a file in its place, and text that is none are each said to be so."""
    assert "there is no such folder" in refused(tmp_path / "none")
    assert "there is no submission.toml" in refused(tmp_path)
    assert "batchlab reference DIR" in refused(tmp_path)
    (tmp_path / "file").write_text("")
    assert "cannot be read" in refused(tmp_path / "file")
    (tmp_path / "submission.toml").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused(tmp_path)


def test_links(tmp_path: Path) -> None:
    """A link may lead within the submission; one that leads out, or nowhere, is refused wherever it lies."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("x = 1\n")
    root = write(tmp_path / "in")
    (root / "ingest" / "again.py").symlink_to("extract.py")
    assert read(root).brought == {"pipelines.ingest"}
    link = root / "ingest" / "other.py"
    link.symlink_to(outside / "secret.py")
    assert "other.py leads out of the submission's folder" in refused(root)
    link.unlink()
    link.symlink_to("nothing.py")
    assert "other.py is no file" in refused(root)
    link.unlink()
    os.mkfifo(link)
    assert "other.py is no file" in refused(root)
    link.unlink()
    (root / "code").symlink_to(outside)
    (root / "submission.toml").write_text(f'{MANIFEST}code = "code"\n')
    assert "leads out of the submission's folder" in refused(root)
    (root / "workflow.yaml").symlink_to(outside / "secret.py")
    (root / "submission.toml").write_text('[pipelines.ingest]\nmanifest = "workflow.yaml"\n')
    assert "leads out of the submission's folder" in refused(root)


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """Where the submission lies is nobody's business: it is read where it really is."""
    write(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read(tmp_path / "link").root == tmp_path / "real"


def test_two_manifests_of_one_name(tmp_path: Path) -> None:
    """Two objects of one kind and name are refused when they are looked at."""
    text = f'{INGEST}[pipelines.report]\nmanifest = "report.yaml"\n'
    found = read(write(tmp_path, text, **{"report.yaml": WORKFLOW}))
    with pytest.raises(BadInput, match="ingest"):
        _ = found.documents
