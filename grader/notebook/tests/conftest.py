"""A submission to grade, and a program that stands for the grade."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_grade.py")
RIGHT = "frame.writeTo(table).overwrite(day)\n"
WRONG = "frame.writeTo(table).append()\n"


class Bench:
    """A submission's folder, the working folder of the notebook in it, and a log of the grades that were made."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.log = log

    def write(self, code: str) -> None:
        """Put this into the pipeline's code."""
        (self.folder / "ingest").mkdir(exist_ok=True)
        (self.folder / "ingest" / "extract.py").write_text(code)

    @property
    def grades(self) -> list[list[str | None]]:
        """Arguments of every grade so far, then the plotting backend that it saw."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


def stand_in(program: Path) -> None:
    """Write a program that stands for `batchlab`. The kernel reads no interpreter from a path with a space."""
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(FAKE))} "$@"\n')
    program.chmod(0o755)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The working folder is a submission; `batchlab` is the stand-in."""
    program = tmp_path / "batchlab"
    stand_in(program)
    folder = tmp_path / "03-run-twice"
    folder.mkdir()
    (folder / "submission.toml").write_text('[pipelines.ingest]\nmanifest = "ingest/workflow.yaml"\ncode = "ingest"\n')
    for name in [name for name in os.environ if name.startswith("BATCHLAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BATCHLAB", str(program))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "grades.log"))
    monkeypatch.chdir(folder)
    made = Bench(folder, tmp_path / "grades.log")
    made.write(RIGHT)
    return made
