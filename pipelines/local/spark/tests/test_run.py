"""Applications for real, one after the other in one warm JVM: fast, and none sees another."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.local.engine.images import Image, ImageTable
from pipelines.local.engine.operators import StepPlace
from pipelines.local.processes import await_end
from pipelines.local.spark import Application, SparkOperator
from pipelines.local.spark.drives import OwnDrive
from pipelines.local.spark.tests.test_application import application
from pipelines.local.spark.warm.pool import Pool
from pipelines.local.state import StateDir

PROGRAMS = {
    "look.py": """
import json, os, sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
import helper
spark = SparkSession.builder.getOrCreate()
spark.sql("CREATE TABLE IF NOT EXISTS scratch.db.t USING iceberg AS SELECT id FROM range(9)")
spark.sql(f"CREATE OR REPLACE TABLE scratch.db.out_{sys.argv[1]} USING iceberg AS SELECT id FROM scratch.db.t")
seen = spark.catalog.tableExists("leftover")
spark.range(1).createOrReplaceTempView("leftover")
spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
spark._jvm.java.lang.System.setProperty("leftover", "yes")
settings = dict(spark.sparkContext.getConf().getAll())
print(json.dumps({
    "id": spark.sparkContext.applicationId, "seen": seen, "user": os.environ.get("USER_OF_" + sys.argv[1]),
    "settings": {key: value for key, value in settings.items() if "tag" in key},
    "doubled": spark.range(3).select(udf(helper.double)("id")).collect()[2][0],
}))
# ends without stopping: the JVM must be cleaned all the same
""",
    "helper.py": "def double(x):\n    return x * 2\n",
    "fail.py": """
import sys
from pyspark.sql import SparkSession
SparkSession.builder.getOrCreate().range(5).count()
sys.exit(3)
""",
    "hang.py": """
import sys, time
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
spark = SparkSession.builder.getOrCreate()
mark = sys.argv[0] + ".on"
spark.range(2).select(udf(lambda x: str(open(mark, "w").close()) + str(time.sleep(600)))("id")).collect()
""",
    "hog.py": """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
array = spark._jvm.java.util.ArrayList()
while True:
    array.add(spark._jvm.java.lang.String("x").repeat(64 << 20))
""",
}


@dataclass
class World:
    """A state directory with programs, and the operator on it."""

    state: StateDir
    code: Path

    def start(self, name: str, program: str, *arguments: str, wake: Any = None, **spec: Any) -> Application:
        """Submit an application."""
        image = Image(name="batchlab/work:x", mounts={"/opt/batchlab": self.code}, env={"PYTHONPATH": str(self.code)})
        folder = self.state.steps / name
        folder.mkdir(parents=True)
        app = application(
            mainApplicationFile=f"local:///opt/batchlab/{program}",
            arguments=list(arguments),
            sparkConf={**self.conf(name), **spec.pop("sparkConf", {})},
            driver={"memory": "1g", "env": [{"name": f"USER_OF_{name}", "value": "me"}], **spec.pop("driver", {})},
            executor={"cores": 2, "instances": 1, "memory": "512m"},
            **spec,
        )
        app["metadata"]["name"] = name
        lifeline, self.executor = os.pipe()
        env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        running = SparkOperator(self.state).start(
            app,
            StepPlace(
                directory=folder, env=env, image=image, images=ImageTable({image.name: image}), lifeline_fd=lifeline,
                secret=_nothing, config_map=_nothing, wake=wake or (lambda: None),
            ),
        )  # fmt: skip
        assert isinstance(running, Application)
        return running

    def conf(self, name: str) -> dict[str, str]:
        """Return the settings of an application: a catalog, lineage into a file of its own, a mark."""
        parent = "spark.openlineage.parent"
        return {
            "spark.sql.catalog.scratch": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.scratch.type": "hadoop",
            "spark.sql.catalog.scratch.warehouse": f"file://{self.state.warehouse}",
            "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
            "spark.openlineage.transport.type": "file",
            "spark.openlineage.transport.location": str(self.state.lineage / f"{name}.ndjson"),
            f"{parent}JobNamespace": "batchlab",
            f"{parent}JobName": f"wf.{name}",
            f"{parent}RunId": f"0000000{len(name)}-0000-5000-8000-{name.encode().hex():0>12}",
            f"spark.tag.{name}": name,
        }

    def run(self, name: str, program: str, *arguments: str, **spec: Any) -> tuple[dict[str, Any], str]:
        """Run an application to its end; returns its status and its driver's log."""
        app = self.start(name, program, *arguments, **spec)
        app._thread.join(120)
        return dict(app.status()), (self.state.steps / name / "logs" / "driver.log").read_text()

    def lineage(self, name: str) -> list[dict[str, Any]]:
        """Return the events of an application."""
        return [json.loads(line) for line in (self.state.lineage / f"{name}.ndjson").read_text().splitlines()]

    def jvm(self) -> int:
        """Return the process of the warm JVM, 0 for none."""
        record = Pool(self.state).slots[0].jvm()
        return record.pid if record else 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A state directory in a folder with a space."""
    root = tmp_path_factory.mktemp("spark state")
    state = StateDir(root=root / ".batchlab").ensure()
    for folder in (state.lineage, state.logs, state.platform):
        folder.mkdir()
    code = root / "code"
    code.mkdir()
    for name, text in PROGRAMS.items():
        (code / name).write_text(text)
    yield World(state, code)
    Pool(state).stop()


def test_applications_in_one_jvm_are_apart(world: World) -> None:
    """A second application runs in the same JVM and sees nothing of the first; lineage of each is whole and its own."""
    first, log = world.run("one", "look.py", "one")
    assert first["applicationState"] == {"state": "COMPLETED"}, log
    jvm = world.jvm()
    second, log = world.run("two", "look.py", "two")
    assert second["applicationState"] == {"state": "COMPLETED"}, log
    assert world.jvm() == jvm != 0
    told = json.loads(log.splitlines()[-1])
    assert told == {
        "id": second["sparkApplicationId"], "seen": False, "user": "me",
        "settings": {"spark.tag.two": "two"}, "doubled": "4",
    }  # fmt: skip
    for name in ("one", "two"):
        events = world.lineage(name)
        outcomes: dict[tuple[str, str], set[str]] = {}
        for event in events:
            outcomes.setdefault((event["job"]["name"], event["run"]["runId"]), set()).add(event["eventType"])
        # of a query that ends before the listener comes to hear of its start, OpenLineage tells the end only
        assert all("COMPLETE" in types and types <= {"START", "RUNNING", "COMPLETE"} for types in outcomes.values())
        root = [event for event in events if event["job"]["name"] == name]
        assert {event["eventType"] for event in root} == {"START", "COMPLETE"}
        assert {event["run"]["facets"]["parent"]["job"]["name"] for event in root} == {f"wf.{name}"}
        written = {out["name"].rsplit("/", 1)[-1] for event in events for out in event.get("outputs", [])}
        assert {f"out_{name}"} <= written <= {f"out_{name}", "t", "db.t", f"db.out_{name}"}


def test_failure_is_told_and_harms_nobody(world: World) -> None:
    """A program's exit code is the driver's; the next application runs in the same JVM."""
    failed, log = world.run("bad", "fail.py")
    assert failed["applicationState"] == {
        "state": "FAILED",
        "errorMessage": "driver container failed with ExitCode: 3, Reason: Error",
    }, log
    jvm = world.jvm()
    assert world.run("good", "look.py", "good")[0]["applicationState"] == {"state": "COMPLETED"}
    assert world.jvm() == jvm


def test_nothing_is_left_when_the_executor_dies(world: World) -> None:
    """When the executor is gone, the driver's processes end by themselves, however busy they are."""
    on = world.code / "hang.py.on"
    app = world.start("orphan", "hang.py")
    leader = _leader(app)
    _await(on.exists)
    family = [leader, *leader.children(recursive=True)]
    os.close(world.executor)
    assert await_end(family, timeout=10) == []


@pytest.mark.slow
def test_killed_application_costs_its_jvm_only(world: World) -> None:
    """An application stopped in the middle of a job is gone at once; the next one runs, in a JVM without its work."""
    on = world.code / "hang.py.on"
    on.unlink(missing_ok=True)
    app = world.start("killed", "hang.py")
    leader = _leader(app)
    _await(on.exists)
    app.stop()
    assert await_end([leader], timeout=10) == []
    assert world.run("after", "look.py", "after")[0]["applicationState"] == {"state": "COMPLETED"}


@pytest.mark.slow
def test_out_of_memory_and_kill_end_one_application(world: World) -> None:
    """An application that eats the heap, or whose JVM is killed, fails; the next one runs."""
    assert world.run("hog", "hog.py")[0]["applicationState"]["state"] == "FAILED"
    on = world.code / "hang.py.on"
    on.unlink(missing_ok=True)
    app = world.start("victim", "hang.py")
    _await(on.exists)
    os.kill(world.jvm(), signal.SIGKILL)
    app._thread.join(60)
    assert app.status()["applicationState"]["state"] == "FAILED"
    assert world.run("next", "look.py", "next")[0]["applicationState"] == {"state": "COMPLETED"}


@pytest.mark.slow
def test_own_jvm_for_own_wishes(world: World) -> None:
    """An application with JVM options gets a JVM of its own, and its options hold there."""
    before = world.jvm()
    status, log = world.run("own", "look.py", "own", driver={"javaOptions": "-Dmine=1 -XX:+UseG1GC", "memory": "1g"})
    assert status["applicationState"] == {"state": "COMPLETED"}, log
    assert world.jvm() == before


def _nothing(name: str) -> dict[str, str]:
    raise KeyError(name)


def _leader(app: Application) -> psutil.Process:
    _await(lambda: app._drive is not None)
    assert isinstance(app._drive, OwnDrive)
    return psutil.Process(app._drive.pid)


def _await(condition: Any, patience: float = 60.0) -> None:
    import time

    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
