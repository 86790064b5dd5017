"""How evenly the tasks of a Spark job shared its work, from Spark's own event log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from grader.pictures.picture import Picture
from grader.report.figure import Bar, Line, bars
from grader.report.text import elide
from grader.report.words import count, duration, plural
from pipelines.local.errors import BadInput
from pipelines.local.spark import conf
from pipelines.local.state import StateDir

_PARENT = "spark.openlineage.parentJobName"
_MOST = 32


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task: seconds that it ran, rows that it read and wrote, bytes that it shuffled in."""

    index: int
    seconds: float
    read: int
    written: int
    shuffled: int


@dataclass(kw_only=True)
class Application:
    """What an event log tells of one application."""

    name: str = ""
    step: str = ""
    started: int = 0
    stages: dict[int, list[Task]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


def skew(state: StateDir, name: str | None) -> Picture:
    """Draw the tasks of the stage whose longest task is furthest from its middle one.

    Args:
        state: whose jobs.
        name: a run, a step of it (`RUN.STEP`), or an application; None: the last application.

    Raises:
        BadInput: there is no event log of it, or no stage of it had several tasks.
    """
    logs = _logs(conf.events(state))
    if name is None:
        found = [_read(path) for path in logs[-1:]]
    else:
        found = [one for one in map(_read, logs) if _matches(one, name)]
    if not found:
        raise BadInput(
            f"there is no event log of {name}" if name else "no Spark job has run here yet", where="NAME",
            remedy="name a run of a pipeline with Spark steps; `batchlab runs` lists them",
        )  # fmt: skip
    wide = [(one, stage, tasks) for one in found for stage, tasks in one.stages.items() if len(tasks) > 1]
    if not wide:
        raise BadInput(f"every stage of {name or found[-1].name} had one task: there is nothing to share", where="NAME")
    one, stage, tasks = max(wide, key=lambda each: (_ratio(each[2]), each[0].started))
    ordered = sorted(tasks, key=lambda task: -task.seconds)
    longest = ordered[0].seconds or 1e-3
    title = f"Tasks of stage {stage} of {one.step or one.name}: {one.names.get(stage, '')}".rstrip(": ")
    alt = (
        f"{plural(len(tasks), 'task')}; the longest ran {_seconds(longest)}, the middle one "
        f"{_seconds(median(task.seconds for task in tasks))}: {_ratio(tasks):.1f} times as long."
    )
    lines = [
        Line(
            label=elide(f"task {task.index}", 32), bars=[Bar(start=0.0, length=task.seconds / longest, tone="busy")],
            note=f"{_seconds(task.seconds)}, {count(task.read)} rows in, {count(task.written)} out",
        )
        for task in ordered[:_MOST]
    ]  # fmt: skip
    svg = bars(lines, ticks=[(0.0, "0 s"), (1.0, _seconds(longest))], title=title, alt=alt)
    rows = [
        (str(task.index), f"{task.seconds:.3f}", count(task.read), count(task.written), count(task.shuffled))
        for task in ordered
    ]
    columns = ("task", "seconds", "rows in", "rows out", "bytes shuffled in")
    return Picture(title=title, alt=alt, svg=svg, columns=columns, rows=rows)


def _seconds(value: float) -> str:
    """Say seconds, short ones in milliseconds: many tasks take no more."""
    return f"{1000 * value:.0f} ms" if value < 1 else duration(value)


def _matches(one: Application, name: str) -> bool:
    workflow = one.step.partition(".")[0]
    return name in {one.name, one.step, workflow} or one.step.startswith(f"{name}(")


def _ratio(tasks: Sequence[Task]) -> float:
    middle = median(task.seconds for task in tasks)
    return max(task.seconds for task in tasks) / max(middle, 1e-3)


def _logs(folder: Path) -> list[Path]:
    """List the event logs that are whole, oldest first."""
    logs = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime) if folder.is_dir() else []
    return [path for path in logs if not path.name.endswith(".inprogress")]


def _read(path: Path) -> Application:
    one = Application()
    for event in _events(path):
        kind = event.get("Event")
        if kind == "SparkListenerApplicationStart":
            one.name, one.started = str(event.get("App Name")), int(event.get("Timestamp") or 0)
        elif kind == "SparkListenerEnvironmentUpdate":
            one.step = str((event.get("Spark Properties") or {}).get(_PARENT, ""))
        elif kind == "SparkListenerStageCompleted":
            info = event["Stage Info"]
            one.names[int(info["Stage ID"])] = str(info.get("Stage Name", ""))
        elif kind == "SparkListenerTaskEnd" and (event.get("Task End Reason") or {}).get("Reason") == "Success":
            one.stages.setdefault(int(event["Stage ID"]), []).append(_task(event))
    return one


def _task(event: Mapping[str, Any]) -> Task:
    info, metrics = event["Task Info"], event.get("Task Metrics") or {}
    shuffle = metrics.get("Shuffle Read Metrics") or {}
    rows_in = (metrics.get("Input Metrics") or {}).get("Records Read", 0) + shuffle.get("Total Records Read", 0)
    rows_out = (metrics.get("Output Metrics") or {}).get("Records Written", 0) + (
        metrics.get("Shuffle Write Metrics") or {}
    ).get("Shuffle Records Written", 0)
    return Task(
        index=int(info["Index"]), seconds=(info["Finish Time"] - info["Launch Time"]) / 1000, read=rows_in,
        written=rows_out, shuffled=shuffle.get("Remote Bytes Read", 0) + shuffle.get("Local Bytes Read", 0),
    )  # fmt: skip


def _events(path: Path) -> Iterator[Mapping[str, Any]]:
    """Read an event log line by line, compressed or not; a line that is no event is passed over."""
    codec = "zstd" if path.suffix == ".zstd" else None
    with pa.input_stream(str(path), compression=codec) as stream:
        rest = b""
        while piece := stream.read(1 << 20):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
