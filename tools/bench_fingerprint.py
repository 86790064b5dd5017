"""Measure fingerprints beside the ways there are to compare two tables row by row, on the same files in one run.

    .venv/bin/python tools/bench_fingerprint.py [--rows 1 10 100] [--datacompy PYTHON]

`--rows` are millions of rows: the year's flights, multiplied by copies with other flight numbers, in 365 partitions of
one file each. After a rerun has written one partition anew, the table before and after it is compared by fingerprints
and by the peers: DuckDB (`EXCEPT ALL` both ways), datacompy (on polars, told the key), Spark (`exceptAll` both ways).
Each measurement has a process of its own; starting it (Python, a Spark session) is not counted. A peer is stopped when
it has taken most of the memory, or long enough to show what is to be shown, and is not tried with more rows then; a
figure that rests on such a time is a least one (`≥`). datacompy wants other versions than the kit does, so it lives in
an environment of its own: `pip install '.[bench]'` there.

Prints tables, and writes them to `.batchlab/bench-fingerprint.md` and `.json`. Exit code 1 if a bound is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from bench_fingerprint_parts import TABLE, make_table, open_lake, rewrite

ROOT = Path(__file__).resolve().parent.parent
PARTS = Path(__file__).with_name("bench_fingerprint_parts.py")
PEERS = ("duckdb", "datacompy", "spark")
YEAR = 336_776
RERUNS = 5
FASTER, FASTER_AFTER_RERUN, STREAMS, GIB = 15, 300, 5, 1
"""The bounds: times as fast as the best peer, cold and after a rerun; times of streaming to Arrow; memory."""

LEAST, AMPLE = 120.0, 1.2
"""Seconds that a peer gets in any case, and how much longer than the bounds ask for."""

MEMORY = 0.8
"""Part of the machine's memory that a measurement may use."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One ratio at one size, and its bound; `least` says that it may be more."""

    rows: int
    name: str
    value: float
    unit: str
    bound: float
    at_least: bool = False
    least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the bound holds."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def title(self) -> str:
        """Name with the size."""
        return f"{self.rows // 1_000_000}M rows: {self.name}"

    def at_most(self) -> tuple[float, str, float]:
        """Value, unit and bound, turned round where the bound is a least one: 15 times as fast is 6.7 % of the time."""
        if not self.at_least:
            return self.value, self.unit, self.bound
        return 100 / self.value if self.value else float("inf"), "%", 100 / self.bound


@dataclass(frozen=True, kw_only=True)
class Time:
    """How long a part took; or why it gave no answer, how long it had taken, and whether that was why (`late`)."""

    rows: int
    part: str
    seconds: float
    gib: float = 0
    stopped: str = ""
    late: bool = False


class Bench:
    """One run at several sizes, in a folder of its own."""

    def __init__(self, folder: Path, datacompy: str) -> None:
        self.folder = folder
        self.datacompy = datacompy
        self.times: list[Time] = []
        self.figures: list[Figure] = []

    def measure(self, millions: int) -> None:
        """Make a table and a rerun, take all times, derive the figures."""
        job: dict[str, Any] = {"home": str(self.folder / "home"), "folder": str(self.folder)}
        job["copies"] = -(-millions * 1_000_000 // YEAR)
        rows = job["copies"] * YEAR
        _say(f"writing {rows:,} rows")
        lake = open_lake(job)
        days = make_table(lake, job)
        first, job["before"] = _files(lake)
        rewrite(lake, job, days[180])
        second, job["after"] = _files(lake)
        job |= {"snapshots": [first, second], "days": days[100 : 100 + RERUNS]}
        ours = [self._time(part, rows, job, None) for part in ("stream", "cold", "rerun")]
        if stopped := [one for one in ours if one.stopped]:
            sys.exit(f"bench: {stopped[0].part}: {stopped[0].stopped}")
        ample = AMPLE * max(FASTER * ours[1].seconds, FASTER_AFTER_RERUN * ours[2].seconds)
        for peer in PEERS:
            self._peer(peer, rows, job, max(LEAST, ample))
        self._derive(rows, *ours)
        for file in (self.folder / "data").iterdir():
            file.unlink()

    def _peer(self, peer: str, rows: int, job: dict[str, Any], ample: float) -> None:
        """Try a peer, unless it gave up with fewer rows."""
        before = next((one for one in self.times if one.part == peer and one.stopped), None)
        if before is None:
            self._time(peer, rows, job, min([ample, *(max(LEAST, 2 * one.seconds) for one in self._finished(rows))]))
            return
        why = before.stopped if "not " in before.stopped else f"not tried: with {before.rows:,} rows {before.stopped}"
        self.times.append(Time(rows=rows, part=peer, seconds=0, stopped=why))

    def _finished(self, rows: int) -> list[Time]:
        return [one for one in self.times if one.part in PEERS and one.rows == rows and not one.stopped]

    def _time(self, part: str, rows: int, job: dict[str, Any], limit: float | None) -> Time:
        _say(f"{part}, {rows:,} rows" + (f", at most {limit:.0f} s" if limit else ""))
        path = self.folder / "job.json"
        path.write_text(json.dumps(job))
        python = self.datacompy if part == "datacompy" else sys.executable
        env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
        begun = time.monotonic()
        with (self.folder / "errors").open("w+") as errors:
            process = subprocess.Popen(
                [python, PARTS, part, path], stdout=subprocess.PIPE, stderr=errors, env=env, start_new_session=True
            )
            gib, stopped = _watch(process, limit)
            answer = process.stdout.read() if process.stdout else b""
            errors.seek(0)
            if process.returncode and not stopped:
                stopped = (errors.read().strip().splitlines() or ["it ended without a word"])[-1]
        late = limit is not None and time.monotonic() - begun > limit
        found = {"seconds": time.monotonic() - begun} if stopped else json.loads(answer.splitlines()[-1])
        taken = Time(
            rows=rows,
            part=part,
            seconds=found["seconds"],
            gib=max(gib, found.get("gib", 0)),
            stopped=stopped,
            late=bool(stopped) and late,
        )
        self.times.append(taken)
        return taken

    def _derive(self, rows: int, stream: Time, cold: Time, rerun: Time) -> None:
        best, least = self._best(rows)
        ratios = [
            ("cold beside best peer", best / cold.seconds, FASTER, True),
            ("cold beside streaming", cold.seconds / stream.seconds, STREAMS, False),
            ("rerun beside best peer", best / rerun.seconds, FASTER_AFTER_RERUN, True),
        ]
        for name, value, bound, at_least in ratios:
            least_of_it = least and at_least
            self.figures.append(
                Figure(
                    rows=rows, name=name, value=value, unit="times", bound=bound, at_least=at_least, least=least_of_it
                )
            )
        self.figures.append(Figure(rows=rows, name="cold, memory", value=cold.gib, unit="GiB", bound=GIB))

    def _best(self, rows: int) -> tuple[float, bool]:
        """Seconds of the best peer; where none ended, the least that any needs, if it grows no worse with rows."""
        if finished := self._finished(rows):
            return min(one.seconds for one in finished), False
        least: dict[str, float] = {}
        for one in self.times:
            if one.part in PEERS and (one.late or not one.stopped):
                least[one.part] = max(least.get(one.part, 0.0), one.seconds * rows / one.rows)
        return min(least.values(), default=0.0), True

    def markdown(self) -> str:
        """Both tables."""
        lines = ["| rows | figure | value | bound | |", "|---:|---|---:|---:|---|"]
        for one in self.figures:
            bound = f"{'≥' if one.at_least else '≤'} {one.bound:g} {one.unit}"
            value = f"{'≥ ' if one.least else ''}{one.value:.3g} {one.unit}"
            lines.append(f"| {one.rows:,} | {one.name} | {value} | {bound} | {'ok' if one.kept else 'OVER'} |")
        lines += ["", "| rows | part | seconds | memory, GiB | |", "|---:|---|---:|---:|---|"]
        for part in self.times:
            lines.append(f"| {part.rows:,} | {part.part} | {part.seconds:.3f} | {part.gib:.2f} | {part.stopped} |")
        return "\n".join(lines)


def _files(lake: Any) -> tuple[int, list[str]]:
    snapshot = lake.iceberg(TABLE).current_snapshot().snapshot_id
    return snapshot, sorted(file.path for file in lake.files(TABLE, snapshot))


def _watch(process: subprocess.Popen[bytes], limit: float | None) -> tuple[float, str]:
    """Wait for a process; stop it and its children at the limit. Returns the largest memory, and why it was stopped."""
    begun, largest, most = time.monotonic(), 0, psutil.virtual_memory().total * MEMORY
    stopped = ""
    while process.poll() is None:
        used = _memory(process.pid)
        largest = max(largest, used)
        if limit is not None and time.monotonic() - begun > limit:
            stopped = f"stopped after {limit:.0f} s"
        elif used > most:
            stopped = f"stopped at {used / 2**30:.0f} GiB"
        if stopped:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(0.1)
    return largest / 2**30, stopped


def _memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def _say(text: str) -> None:
    print(f"measuring fingerprints: {text}", file=sys.stderr, flush=True)


def measure(rows: Sequence[int], datacompy: str = sys.executable) -> Bench:
    """Take all figures at some sizes (millions of rows); the tables are written to the state directory."""
    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        bench = Bench(Path(folder), datacompy)
        try:
            for millions in sorted(rows):
                bench.measure(millions)
        finally:
            home = {**os.environ, "BATCHLAB_HOME": f"{folder}/home"}
            batchlab = Path(sys.executable).parent / "batchlab"
            subprocess.run([batchlab, "platform", "stop"], env=home, check=False, capture_output=True)
    target = ROOT / ".batchlab"
    target.mkdir(exist_ok=True)
    (target / "bench-fingerprint.md").write_text(bench.markdown() + "\n")
    found = {"figures": [asdict(one) for one in bench.figures], "times": [asdict(one) for one in bench.times]}
    (target / "bench-fingerprint.json").write_text(json.dumps(found, indent=2))
    return bench


def main(words: Sequence[str]) -> int:
    """Measure and print; 1 if a bound is passed."""
    parser = argparse.ArgumentParser(description="Measure fingerprints beside their peers.")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 10], help="millions of rows; default: 1 10")
    parser.add_argument("--datacompy", default=sys.executable, metavar="PYTHON", help="one that has datacompy")
    options = parser.parse_args(words)
    bench = measure(options.rows, options.datacompy)
    print(bench.markdown())
    return 0 if all(one.kept for one in bench.figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
