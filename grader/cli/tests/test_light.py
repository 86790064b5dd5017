"""Lint, plans and plain workflows need nothing but the light core."""

from __future__ import annotations

import os
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


def test_what_is_still_referred_to_at_the_end_is_no_message(tmp_path: Path) -> None:
    """DuckDB would list its types and functions below a verdict, where a connection outlives the program."""
    code = (
        "import ctypes, sys, duckdb\n"
        "kept = duckdb.connect()\n"
        "ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))\n"
        "from grader import cli\n"
        "sys.argv = ['batchlab', 'hint', 'M03-keys']\n"
        "cli.main({})\n"
    )
    for argv, noise in (("sys.argv[1:]", True), ("", False)):
        done = subprocess.run([sys.executable, "-c", code.format(argv)], cwd=tmp_path, capture_output=True, text=True,
                              env={**os.environ, "BATCHLAB_HOME": str(tmp_path)}, check=False)  # fmt: skip
        assert done.returncode == 2
        assert "grade first" in done.stderr
        assert ("leaked" in done.stderr) is noise
