"""The parts of the verification on kind that need no kind."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[1] / "verify_kind.py"


@pytest.fixture(scope="module")
def tool() -> Any:
    """Load it."""
    spec = importlib.util.spec_from_file_location("verify_kind", TOOL)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["verify_kind"] = found
    spec.loader.exec_module(found)
    return found


def test_labels_that_a_page_lacks(tool: Any) -> None:
    """A shortened label is still the node's; one that is not there is named once."""
    wanted = ["validate(0)", "extract(0)", "write(0)", "write(0)"]
    assert tool.differences(wanted, ["validate(0)", "extra…", "write(0)"]) == []
    assert tool.differences(wanted, ["validate(0)", "extract(0)"]) == ["write(0)"]
    assert tool.differences(wanted, []) == ["validate(0)", "extract(0)", "write(0)"]


def test_what_breaks_is_a_finding(tool: Any) -> None:
    """An error is told, and makes the report say no."""

    def broken() -> tuple[bool, str]:
        raise OSError("no such place")

    found = tool.looked_at("something", broken)
    assert (found.right, found.seen) == (False, "no such place")
    text = tool.report([found, tool.looked_at("other", lambda: (True, "fine"))], "FLUX=1")
    assert "| something | NO |" in text
    assert "| other | yes |" in text
    assert "FLUX=1" in text


def test_commands_are_run_and_their_last_line_kept(tool: Any) -> None:
    """Whether it succeeded, and what it said last."""
    assert tool.run(sys.executable, "-c", "print('a'); print('b')") == (True, "b")
    assert tool.run(sys.executable, "-c", "raise SystemExit('no')") == (False, "no")


def test_without_docker_it_says_what_is_missing(tmp_path: Path) -> None:
    """Exit code 2, before anything is made."""
    done = subprocess.run(
        [sys.executable, TOOL], capture_output=True, text=True, check=False, env={**os.environ, "PATH": str(tmp_path)}
    )
    assert done.returncode == 2
    assert "docker, kind, kubectl, flux missing" in done.stderr
