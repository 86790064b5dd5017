"""The state directory: found, made, and refused with a reason."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.errors import BadInput
from pipelines.local.state import VERSION, StateDir

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


def listing(folder: Path) -> dict[str, bytes]:
    """Everything under a folder, to show that nothing was changed."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_belongs_to_the_checkout_that_holds_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any folder inside a checkout the same directory is found; elsewhere, the current folder's own."""
    monkeypatch.delenv("BATCHLAB_HOME", raising=False)
    (tmp_path / "kit" / "pipelines" / "local" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "kit" / "pipelines" / "local" / "deep")
    assert StateDir.locate().root == tmp_path / "kit" / ".batchlab"
    monkeypatch.chdir(tmp_path)
    assert StateDir.locate().root == tmp_path / ".batchlab"
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "else where"))
    assert StateDir.locate().root == tmp_path / "else where"


def test_it_is_made_once(tmp_path: Path) -> None:
    """The first use makes it; the second finds it as it was."""
    state = StateDir(root=tmp_path / "a b" / ".batchlab").ensure()
    (state.root / "kept").write_text("x")
    before = listing(state.root)
    state.ensure()
    assert listing(state.root) == before
    assert (state.root / "version").read_text() == f"{VERSION}\n"


@pytest.mark.parametrize(
    ("version", "says"), [("0", "made by an older kit"), (str(VERSION + 1), "made by a newer kit"), (None, "older kit")]
)
def test_another_versions_directory_is_refused_and_left_alone(tmp_path: Path, version: str | None, says: str) -> None:
    """A directory that this kit cannot use is named, with a way out, and nothing in it is changed."""
    state = StateDir(root=tmp_path / ".batchlab")
    state.root.mkdir()
    (state.root / "runs.db").write_text("precious")
    if version is not None:
        (state.root / "version").write_text(version)
    before = listing(state.root)
    with pytest.raises(BadInput, match=says) as caught:
        state.ensure()
    assert caught.value.where == str(state.root)
    assert caught.value.remedy
    assert listing(state.root) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@needs_root
def test_a_full_disk_is_told_before_work_starts(small_disk: Path) -> None:
    """No space: one clear error, and what is there stays."""
    state = StateDir(root=small_disk / ".batchlab").ensure()
    with pytest.raises(OSError, match="space"):
        (small_disk / "filler").write_bytes(b"x" * (1 << 20))
    with pytest.raises(BadInput, match="No space left"):
        state.ensure()
    assert (state.root / "version").read_text() == f"{VERSION}\n"


@needs_root
def test_a_read_only_disk_is_told_before_work_starts(small_disk: Path) -> None:
    """Read-only: one clear error, for a new directory and for one that is there."""
    StateDir(root=small_disk / ".batchlab").ensure()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for name in (".batchlab", "another"):
        with pytest.raises(BadInput, match="Read-only file system"):
            StateDir(root=small_disk / name).ensure()
