"""Measure speed and memory, each against its bound; times as ratios to a plain spark-submit on this machine.

    .venv/bin/python tools/bench.py [NAME…]      t0 load fingerprint peers spark demo idle grade; default: all

Everything is measured in one run, in a state directory of its own that is removed afterwards. Exit code 1 if a bound is
passed. The figures are written to `.batchlab/bench.json` of the checkout, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import psutil
import pyarrow as pa
from bench_fingerprint import measure as beside_peers
from pyarrow import csv

from grader.data import source
from grader.data.schema import FLIGHTS
from grader.fingerprint.lake import Lake
from pipelines.local.assembly import assembled
from pipelines.local.engine import WallClock
from pipelines.local.manifest import from_text
from pipelines.local.spark.home import spark_home
from pipelines.local.state import StateDir

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TRIVIAL = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.range(1000).selectExpr("sum(id)").collect())
spark.stop()
"""
APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: bench-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: image, valueFrom: {configMapKeyRef: {name: lake, key: image}}}]}
  templates:
  - name: main
    resource:
      action: create
      successCondition: status.applicationState.state == COMPLETED
      failureCondition: status.applicationState.state == FAILED
      manifest: |
        apiVersion: sparkoperator.k8s.io/v1beta2
        kind: SparkApplication
        metadata: {generateName: bench-}
        spec:
          type: Python
          mode: cluster
          sparkVersion: 4.1.4
          image: "{{workflow.parameters.image}}"
          mainApplicationFile: local://TRIVIAL
          driver: {cores: 1, memory: 1g, JAVA}
          executor: {cores: 1, instances: 1, memory: 1g}
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measurement: `value` in `unit` (`T0` is the time of a plain spark-submit), at most `bound`."""

    name: str
    value: float
    unit: str
    bound: float | None

    @property
    def kept(self) -> bool:
        """Whether the bound holds."""
        return self.bound is None or self.value <= self.bound


class Bench:
    """One run of all measurements in one state directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.env = {**os.environ, "BATCHLAB_HOME": str(self.state), "PYSPARK_PYTHON": sys.executable}
        self.env |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(spark_home())}
        self.program = folder / "trivial.py"
        self.program.write_text(TRIVIAL)
        self.t0 = 0.0

    def measure(self, names: list[str]) -> list[Figure]:
        """Take the named measurements, in a fixed order; T0 always."""
        self.t0 = sorted(self._time([spark_home() / "bin" / "spark-submit", self.program]) for _ in range(3))[1]
        figures = [Figure(name="plain spark-submit (T0)", value=self.t0, unit="s", bound=None)]
        parts: dict[str, Callable[[], list[Figure]]] = {
            "demo": self.demo,
            "spark": self.spark,
            "load": self.load,
            "fingerprint": self.fingerprint,
            "peers": self.peers,
            "idle": self.idle,
            "grade": self.grade,
        }
        for name, part in parts.items():
            if not names or name in names:
                print(f"measuring {name}", file=sys.stderr, flush=True)
                figures += part()
        return figures

    def demo(self) -> list[Figure]:
        """`make demo` after set-up: time, largest memory, the executor's share."""
        peak = Peak()
        seconds = self._time([BIN / "batchlab", "demo"], watch=peak)
        report = json.loads((self.state / "report" / "report.json").read_text())
        own = next(row["seconds"] for row in report["timings"] if "executor" in row["label"])
        return [
            Figure(name="demo", value=seconds / self.t0, unit="T0", bound=12),
            Figure(name="demo, largest memory", value=peak.gib, unit="GiB", bound=5),
            Figure(name="demo, the executor's share", value=100 * own / seconds, unit="%", bound=2),
        ]

    def spark(self) -> list[Figure]:
        """One SparkApplication from its node's start to its end: cold (a JVM option forbids a warm one), then warm."""
        cold = self._application('javaOptions: "-Dbench=cold"')
        self._application("")  # leaves a warm JVM
        warm = sorted(self._application("") for _ in range(3))[1]
        return [
            Figure(name="SparkApplication, cold", value=cold / self.t0, unit="T0", bound=0.6),
            Figure(name="SparkApplication, warm", value=warm / self.t0, unit="T0", bound=0.2),
        ]

    def load(self) -> list[Figure]:
        """The year of flights into PostgreSQL, from nothing."""
        state = self.folder / "load"
        env = {**self.env, "BATCHLAB_HOME": str(state)}
        subprocess.run([BIN / "batchlab", "platform", "start"], env=env, check=True, capture_output=True)
        seconds = self._time([BIN / "batchlab", "data", "load"], env=env)
        subprocess.run([BIN / "batchlab", "platform", "stop"], env=env, check=True, capture_output=True)
        return [Figure(name="loading all tables", value=seconds, unit="s", bound=15)]

    def fingerprint(self) -> list[Figure]:
        """All flights of the year as one Iceberg table of 365 partitions, nothing cached."""
        make_flights_table(StateDir(root=self.state))
        seconds = self._time([BIN / "batchlab", "fingerprint", "lake.bench.flights", "--json"])
        return [Figure(name="fingerprint of all flights", value=seconds, unit="s", bound=3)]

    def grade(self) -> list[Figure]:
        """A submission: everything anew, without and with crash and fault tests; one item again after one change."""
        folder = self.folder / "submission"
        self._time([BIN / "batchlab", "reference", folder])
        words = [BIN / "batchlab", "grade", "--submission", folder]
        self._time([*words, "M05-submits"])  # the platform is up, the source loaded, as at every grading but the first
        quick = self._time([*words, "--quick", "--fresh"])
        rest = self._time(words)
        changed = folder / "publish" / "notify.py"
        changed.write_text(changed.read_text() + "\n# changed\n")
        again = self._time([*words, "M03", "--quick"])
        return [
            Figure(name="grading, without crash tests", value=quick / self.t0, unit="T0", bound=8),
            Figure(name="grading, with crash tests", value=(quick + rest) / self.t0, unit="T0", bound=25),
            Figure(name="one item after a change", value=again / self.t0, unit="T0", bound=1.5),
        ]

    def peers(self) -> list[Figure]:
        """Fingerprints beside other ways to compare tables, and beside reading alone, at 1 and 10 million rows."""
        found = [(one, *one.at_most()) for one in beside_peers((1, 10)).figures]
        return [Figure(name=one.title, value=value, unit=unit, bound=bound) for one, value, unit, bound in found]

    def idle(self) -> list[Figure]:
        """The platform when nobody uses it."""
        subprocess.run([BIN / "batchlab", "platform", "start"], env=self.env, check=True, capture_output=True)
        status = subprocess.run(
            [BIN / "batchlab", "platform", "status", "--json"], env=self.env, check=True, capture_output=True
        )
        pids = [int(pid) for pid in re.findall(r'"pid": (\d+)', status.stdout.decode())]
        used = sum(memory(psutil.Process(pid)) for pid in pids)
        return [Figure(name="idle platform", value=used / 2**30, unit="GiB", bound=1)]

    def close(self) -> None:
        """Stop what runs in the state directory."""
        for state in (self.state, self.state / "grading"):
            env = {**self.env, "BATCHLAB_HOME": str(state)}
            subprocess.run([BIN / "batchlab", "platform", "stop"], env=env, check=False, capture_output=True)

    def _application(self, java: str) -> float:
        """Run one SparkApplication by a workflow of one step; returns seconds from its start to its end."""
        text = APPLICATION.replace("TRIVIAL", str(self.program)).replace(", JAVA", java and f", {java}")
        with assembled(StateDir(root=self.state), WallClock(), platform=True) as engine:
            begun = time.monotonic()
            phase = engine.run(from_text(text).workflows[0]).phase
        if phase != "Succeeded":
            sys.exit(f"bench: the SparkApplication ended {phase}; see {self.state / 'steps'}")
        return time.monotonic() - begun

    def _time(self, words: list[str | Path], *, watch: Peak | None = None, env: dict[str, str] | None = None) -> float:
        begun = time.monotonic()
        process = subprocess.Popen(words, env=env or self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if watch is not None:
            watch.follow(process.pid, self.state)
        _, error = process.communicate()
        seconds = time.monotonic() - begun
        if process.returncode:
            sys.exit(f"bench: {' '.join(map(str, words))} ended with {process.returncode}\n{error.decode()[-2000:]}")
        return seconds


def make_flights_table(state: StateDir) -> None:
    """Write the package's flights, 19 columns and the date, as one Iceberg table with a partition for each day."""
    path = source.folder() / FLIGHTS.file
    with zipfile.ZipFile(path) as archive, archive.open(path.stem) as stream:
        flights = csv.read_csv(stream)
    days = [date(*day) for day in zip(*(flights[part].to_pylist() for part in ("year", "month", "day")), strict=True)]
    flights = flights.append_column("flight_date", pa.array(days))
    catalog = Lake.open(state).catalog
    catalog.create_namespace_if_not_exists("bench")
    table = catalog.create_table("bench.flights", schema=flights.schema)
    with table.update_spec() as spec:
        spec.add_identity("flight_date")
    table.append(flights)


class Peak:
    """The largest memory of a command, its children, and the servers of its state directory, sampled."""

    def __init__(self) -> None:
        self.gib = 0.0

    def follow(self, pid: int, state: Path) -> None:
        """Sample in a thread until the command ends."""
        threading.Thread(target=self._sample, args=(pid, str(state)), daemon=True).start()

    def _sample(self, pid: int, state: str) -> None:
        while psutil.pid_exists(pid):
            total = sum(memory(process) for process in psutil.process_iter() if _belongs(process, pid, state))
            self.gib = max(self.gib, total / 2**30)
            time.sleep(0.5)


def _belongs(process: psutil.Process, pid: int, state: str) -> bool:
    try:
        words = " ".join(process.cmdline())
        return process.pid == pid or state in words or pid in {parent.pid for parent in process.parents()}
    except psutil.Error:
        return False


def memory(process: psutil.Process) -> int:
    """Bytes of a process, shared pages counted in parts where the OS tells; 0 when it has ended."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def main(names: list[str]) -> int:
    """Measure, print a table, write the figures; 1 if a bound is passed."""
    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        bench = Bench(Path(folder))
        try:
            figures = bench.measure(names)
        finally:
            bench.close()
    for figure in figures:
        bound = "" if figure.bound is None else f"≤ {figure.bound:g}"
        verdict = "" if figure.bound is None else ("ok" if figure.kept else "OVER")
        print(f"{figure.name:<32} {figure.value:8.2f} {figure.unit:<4} {bound:<7} {verdict}")
    target = ROOT / ".batchlab"
    if target.is_dir():
        (target / "bench.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=2))
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
