"""What the bench of fingerprints makes of the times it takes."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool() -> Any:
    """The program as a module."""
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location("bench_fingerprint", TOOLS / "bench_fingerprint.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["bench_fingerprint"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(TOOLS))
    return module


def bench(tool: Any, tmp_path: Path, *times: dict[str, Any]) -> Any:
    """A run that has taken these times."""
    made = tool.Bench(tmp_path, sys.executable)
    made.times = [tool.Time(**one) for one in times]
    return made


def test_best_peer_that_ended(tool: Any, tmp_path: Path) -> None:
    """Where a peer ended, the best of those that did is taken as it is."""
    found = bench(
        tool, tmp_path,
        {"rows": 10, "part": "duckdb", "seconds": 8}, {"rows": 10, "part": "datacompy", "seconds": 4},
        {"rows": 10, "part": "spark", "seconds": 3, "stopped": "stopped at 18 GiB"},
        {"rows": 10, "part": "cold", "seconds": 1},
    )  # fmt: skip
    assert found._best(10) == (4, False)


def test_best_peer_where_none_ended(tool: Any, tmp_path: Path) -> None:
    """Where all were stopped, each would need at least what it had, or what fewer rows took, times the rows."""
    found = bench(
        tool, tmp_path,
        {"rows": 10, "part": "duckdb", "seconds": 8}, {"rows": 10, "part": "datacompy", "seconds": 9},
        {"rows": 10, "part": "spark", "seconds": 50, "stopped": "stopped after 50 s", "late": True},
        {"rows": 100, "part": "duckdb", "seconds": 120, "stopped": "stopped after 120 s", "late": True},
        {"rows": 100, "part": "datacompy", "seconds": 5, "stopped": "stopped at 18 GiB"},
        {"rows": 100, "part": "spark", "seconds": 0, "stopped": "not tried: with 10 rows stopped after 50 s"},
    )  # fmt: skip
    assert found._best(100) == (90, True)
    assert bench(tool, tmp_path)._best(10) == (0.0, True)


def test_figures_and_their_bounds(tool: Any, tmp_path: Path) -> None:
    """Times become ratios, each with its verdict; turned round, a bound of a least ratio is one of a most."""
    made = bench(tool, tmp_path, {"rows": 1_000_000, "part": "duckdb", "seconds": 30})
    parts = ({"part": "stream", "seconds": 1}, {"part": "cold", "seconds": 3}, {"part": "rerun", "seconds": 0.05})
    made._derive(1_000_000, *(tool.Time(rows=1_000_000, gib=0.5, **part) for part in parts))
    values = {one.title: (one.value, one.kept) for one in made.figures}
    assert values == {
        "1M rows: cold beside best peer": (10, False),
        "1M rows: cold beside streaming": (3, True),
        "1M rows: rerun beside best peer": (600, True),
        "1M rows: cold, memory": (0.5, True),
    }
    assert made.figures[0].at_most() == (10, "%", pytest.approx(6.67, abs=0.01))
    assert "| 1,000,000 | cold beside best peer | 10 times | ≥ 15 times | OVER |" in made.markdown()


def test_peer_that_gave_up_is_not_tried_again(tool: Any, tmp_path: Path) -> None:
    """With more rows it is named with the reason, and starts no process."""
    made = bench(tool, tmp_path, {"rows": 10, "part": "spark", "seconds": 50, "stopped": "stopped after 50 s"})
    made._peer("spark", 100, {}, 120.0)
    assert made.times[-1].stopped == "not tried: with 10 rows stopped after 50 s"


def test_process_is_stopped_at_its_limit(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that takes too long or too much memory is ended, and the reason is told."""
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = subprocess.Popen(words, start_new_session=True)
    assert tool._watch(process, 0.3)[1] == "stopped after 0 s"
    assert process.returncode
    monkeypatch.setattr(tool, "MEMORY", 0)
    process = subprocess.Popen(words, start_new_session=True)
    assert tool._watch(process, None)[1] == "stopped at 0 GiB"
    assert process.returncode


def test_part_that_fails_says_why(tool: Any, tmp_path: Path) -> None:
    """The last line of what it said is the reason: here, that datacompy is not installed."""
    made = tool.Bench(tmp_path, sys.executable)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S "$@"\n')
    (tmp_path / "python").chmod(0o755)
    made.datacompy = str(tmp_path / "python")
    found = made._time("datacompy", 10, {}, 60.0)
    assert found.stopped.startswith("not installed: pip install '.[bench]'")
    assert not found.late
