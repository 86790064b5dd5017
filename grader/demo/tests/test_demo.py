"""The whole demo on two days, interrupted once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

STARTED = 240
"""Seconds within which the first run must have ended."""
ALL = 600
ROOT = Path(__file__).parents[3]


def start(home: Path) -> subprocess.Popen[str]:
    """Start the demo of two days as a person does."""
    return subprocess.Popen(
        [sys.executable, "-c", "from grader.cli import main; main()", "demo", "--days", "2", "--json"],
        cwd=ROOT, env={**os.environ, "BATCHLAB_HOME": str(home)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def journal(home: Path) -> dict[str, Any]:
    """Read the journal as it is now."""
    try:
        found: dict[str, Any] = json.loads((home / "demo" / "journal.json").read_text())
    except FileNotFoundError:
        found = {"runs": []}
    return found


def wait_for_second_run(home: Path, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until one run has ended and a step of the next one works; return the demo's processes."""
    deadline = time.monotonic() + STARTED
    while True:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "the second run did not begin"
        children = psutil.Process(process.pid).children(recursive=True)
        if len(journal(home)["runs"]) > 1 and any(of_a_step(child, home) for child in children):
            return children
        time.sleep(0.1)


def of_a_step(process: psutil.Process, home: Path) -> bool:
    """Tell whether a process works for a step, not for the platform, whose servers stay."""
    try:
        words = [*process.cmdline(), process.cwd()]
    except psutil.Error:
        return False
    return any(str(home / folder) in word for word in words for folder in ("steps", "code"))


@pytest.mark.timeout(ALL + STARTED)
def test_two_days_interrupted_once(tmp_path: Path) -> None:
    """Interrupted in its second run, the demo leaves no step running; started again it goes on, and passes."""
    home = tmp_path / "a home" / ".batchlab"
    process = start(home)
    try:
        children = wait_for_second_run(home, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=ALL)
        assert process.returncode == 130, said
        assert "goes on from here" in said
        assert "Traceback" not in said
        psutil.wait_procs([child for child in children if of_a_step(child, home)], timeout=20)
        assert [child.cmdline() for child in children if of_a_step(child, home)] == []
        before = journal(home)["runs"][0]

        process = start(home)
        out, said = process.communicate(timeout=ALL)
        assert process.returncode == 0, said
        verdict = json.loads(out)
        assert verdict["summary"]["outcome"] == "pass"
        assert verdict["days"] == ["2013-03-09", "2013-03-10"]
        outcomes = {name: item["outcome"] for name, item in verdict["items"].items()}
        assert outcomes == {f"M{number:02}": "waiting" if number in {1, 4} else "pass" for number in range(1, 11)}
        assert journal(home)["runs"][0] == before
        assert "going on after: load" in said
        report = json.loads((home / "report" / "report.json").read_text())
        assert [(run["play"], run["ds"], run["phase"]) for run in report["runs"]] == [
            ("first", "2013-03-09", "Succeeded"),
            ("first", "2013-03-10", "Succeeded"),
            ("second", "2013-03-10", "Succeeded"),
            ("second", "2013-03-09", "Succeeded"),
            ("replay", "2013-03-10", "Succeeded"),
        ]
        page = Path(verdict["report"]).read_text(encoding="utf-8")
        assert "lake.curated.flights" in page
        assert "M03" in page
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        subprocess.run(
            [sys.executable, "-c", "from grader.cli import main; main()", "platform", "stop"],
            cwd=ROOT, env={**os.environ, "BATCHLAB_HOME": str(home)}, check=False, capture_output=True,
        )  # fmt: skip
