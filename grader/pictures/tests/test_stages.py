"""Skew, from event logs as Spark writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from grader.pictures.stages import skew
from grader.pictures.tests.test_runs import texts
from pipelines.local.errors import BadInput
from pipelines.local.spark import conf
from pipelines.local.state import StateDir


def task(stage: int, index: int, seconds: float, rows: int) -> dict[str, Any]:
    """Make the end of a task that read some rows."""
    return {
        "Event": "SparkListenerTaskEnd", "Stage ID": stage, "Task End Reason": {"Reason": "Success"},
        "Task Info": {"Index": index, "Launch Time": 1000, "Finish Time": 1000 + round(1000 * seconds)},
        "Task Metrics": {"Input Metrics": {"Records Read": rows}, "Shuffle Read Metrics": {"Total Records Read": 1}},
    }  # fmt: skip


def log(state: StateDir, name: str, step: str, *events: dict[str, Any], compressed: bool = True) -> Path:
    """Write an event log."""
    folder = conf.events(state)
    folder.mkdir(parents=True, exist_ok=True)
    begin = [
        {"Event": "SparkListenerApplicationStart", "App Name": name, "Timestamp": 5},
        {"Event": "SparkListenerEnvironmentUpdate", "Spark Properties": {"spark.openlineage.parentJobName": step}},
    ]
    text = "".join(json.dumps(event) + "\n" for event in (*begin, *events)) + "{broken\n"
    path = folder / (f"spark-{name}.zstd" if compressed else f"spark-{name}")
    with pa.output_stream(str(path), compression="zstd" if compressed else None) as stream:
        stream.write(text.encode())
    return path


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give the logs of two applications, the second with a stage that is uneven."""
    found = StateDir(root=tmp_path)
    log(found, "a-1", "w-1.w-1.extract(0)", task(0, 0, 1.0, 5), task(0, 1, 1.0, 5), compressed=False)
    done = {"Event": "SparkListenerStageCompleted", "Stage Info": {"Stage ID": 2, "Stage Name": "save"}}
    failed = {**task(2, 9, 99.0, 1), "Task End Reason": {"Reason": "TaskKilled"}}
    even = [task(1, index, 0.1, 10) for index in range(3)]
    uneven = [task(2, 0, 0.2, 7), task(2, 1, 4.0, 1900), task(2, 2, 0.2, 7)]
    log(found, "a-2", "w-1.w-1.curate(0)", *even, *uneven, failed, done)
    log(found, "a-3", "w-2.w-2.read(0)", task(0, 0, 1.0, 1)).rename(conf.events(found) / "spark-a-3.inprogress")
    return found


def test_the_most_uneven_stage_is_drawn(state: StateDir) -> None:
    """The longest task first, with what it read; no killed attempt, no log that is being written."""
    picture = skew(state, "w-1")
    assert picture.title == "Tasks of stage 2 of w-1.w-1.curate(0): save"
    assert picture.alt == "3 tasks; the longest ran 4 s, the middle one 200 ms: 20.0 times as long."
    assert [row[:3] for row in picture.rows] == [
        ("1", "4.000", "1\N{NARROW NO-BREAK SPACE}901"),
        ("0", "0.200", "8"),
        ("2", "0.200", "8"),
    ]
    assert "task 1" in texts(picture)
    assert skew(state, None).title == picture.title
    assert skew(state, "a-1").title == "Tasks of stage 0 of w-1.w-1.extract(0)"


def test_what_has_no_tasks_to_compare_is_told(state: StateDir, tmp_path: Path) -> None:
    """No log, one task only, nothing at all."""
    with pytest.raises(BadInput, match="there is no event log of w-9"):
        skew(state, "w-9")
    (conf.events(state) / "spark-a-3.inprogress").rename(conf.events(state) / "spark-a-3.zstd")
    with pytest.raises(BadInput, match="had one task"):
        skew(state, "w-2")
    with pytest.raises(BadInput, match="no Spark job has run here yet"):
        skew(StateDir(root=tmp_path / "empty"), None)


def test_without_a_name_the_last_application_is_drawn(state: StateDir) -> None:
    """Also where an earlier one was more uneven."""
    log(state, "a-4", "w-3.w-3.extract(0)", task(0, 0, 1.0, 5), task(0, 1, 1.1, 5))
    assert skew(state, None).title == "Tasks of stage 0 of w-3.w-3.extract(0)"
