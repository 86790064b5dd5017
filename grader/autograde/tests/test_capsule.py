"""What of a folder gets into a box: plain files, and nothing that leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.autograde.capsule import Entry, NotPlainError, copy, entries

PLENTY = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A submission with a file, a program, a link inside of it, and things that tools leave."""
    root = tmp_path / "work"
    (root / "ingest").mkdir(parents=True)
    (root / "ingest" / "a.py").write_text("a")
    (root / "ingest" / "run").write_text("run")
    (root / "ingest" / "run").chmod(0o755)
    (root / "again").symlink_to("ingest/a.py")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("token")
    return root


def test_plain_files_are_copied(folder: Path, tmp_path: Path) -> None:
    """Files keep their content and whether they are programs; links stay links; what tools leave stays behind."""
    copy(str(folder), str(tmp_path / "copy"), owner=-1, budget=PLENTY)
    made = tmp_path / "copy"
    assert sorted(str(path.relative_to(made)) for path in made.rglob("*")) == [
        "again", "ingest", "ingest/a.py", "ingest/run",
    ]  # fmt: skip
    assert (made / "again").readlink() == Path("ingest/a.py")
    assert os.access(made / "ingest" / "run", os.X_OK)
    assert not os.access(made / "ingest" / "a.py", os.X_OK)


@pytest.mark.parametrize("leads", ["/etc/passwd", "../../outside", "../loop/../../outside", "x/../../../outside"])
def test_links_out_are_refused(folder: Path, leads: str) -> None:
    """A link to a file of the instructor's is named, not followed."""
    (folder.parent / "outside").write_text("secret")
    (folder / "loop").symlink_to("ingest")
    (folder / "ingest" / "link").symlink_to(leads)
    with pytest.raises(NotPlainError, match="ingest/link is a link that leads out of it"):
        list(entries(str(folder), PLENTY))


def test_a_linked_folder_is_not_entered(folder: Path) -> None:
    """A link to a folder is one entry, whatever is in the folder."""
    (folder / "linked").symlink_to("ingest")
    assert Entry(path="linked", kind="link", leads="ingest") in list(entries(str(folder), PLENTY))


def test_pipes_are_refused(folder: Path) -> None:
    """What is neither file nor folder is refused: opening it could wait for ever."""
    os.mkfifo(folder / "pipe")
    with pytest.raises(NotPlainError, match="pipe is neither a file nor a folder"):
        list(entries(str(folder), PLENTY))


def test_too_much_is_refused(folder: Path) -> None:
    """The files together may have only so many bytes."""
    with pytest.raises(NotPlainError, match="too large"):
        list(entries(str(folder), 3))


def test_a_file_that_grows_is_cut(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not more of a file is copied than was looked at: it may be written to meanwhile."""
    listed = [Entry(path="ingest", kind="folder"), Entry(path="ingest/run", kind="file", size=2)]
    monkeypatch.setattr("grader.autograde.capsule.entries", lambda *_: iter(listed))
    copy(str(folder), str(tmp_path / "copy"), owner=-1, budget=PLENTY)
    assert (tmp_path / "copy" / "ingest" / "run").read_text() == "ru"
