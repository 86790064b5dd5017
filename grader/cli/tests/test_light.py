"""Lint, plans and plain workflows need nothing but the light core."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MANIFEST = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: hello}
spec:
  entrypoint: main
  templates:
  - {name: main, suspend: {duration: 1h}}
"""
PROGRAM = """\
import sys

EXTRAS = {"psycopg", "py4j", "pyspark", "pyiceberg", "duckdb", "cjdk", "jgo", "pyarrow", "requests"}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in EXTRAS:
            raise ImportError(f"the light core has no {name}")

sys.meta_path.insert(0, Blocked())
from grader.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("command", [["lint"], ["run", "--virtual-time"]])
def test_light_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """The commands work where none of the extras is installed."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "state"))
    file = tmp_path / "hello.yaml"
    file.write_text(MANIFEST)
    words = [sys.executable, "-c", PROGRAM, *command, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
