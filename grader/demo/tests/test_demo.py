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


def wait_for_first_run(home: Path, process: subprocess.Popen[str]) -> None:
    """Wait until one run has ended and the next has begun."""
    deadline = time.monotonic() + STARTED
    while len(journal(home)["runs"]) < 2:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "the first run did not end"
        time.sleep(0.2)


@pytest.mark.timeout(ALL + STARTED)
def test_two_days_interrupted_once(tmp_path: Path) -> None:
    """Interrupted in its second run, the demo leaves no step running; started again it goes on, and passes."""
    home = tmp_path / "a home" / ".batchlab"
    process = start(home)
    try:
        wait_for_first_run(home, process)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "goes on from here" in said
        assert "Traceback" not in said
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
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
