"""`spark-submit` of a step's image: PySpark finds a JVM with the local settings; dbt borrows a warm one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local.platform.images import submit_home
from pipelines.local.spark.warm.pool import Pool
from pipelines.local.spark.warm.slot import FREE
from pipelines.local.state import StateDir

PROGRAM = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("mine").config("spark.sql.shuffle.partitions", "7").getOrCreate()
conf = spark.sparkContext.getConf()
names = ("spark.app.name", "spark.sql.shuffle.partitions", "spark.extra")
print(spark.range(10).count(), *(conf.get(name) for name in names))
print(spark._jvm.java.lang.ProcessHandle.current().pid())
spark._jvm.java.lang.System.err.println("the JVM was here")
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    """A state directory with one JVM that is started but not exercised."""
    made = StateDir(root=tmp_path_factory.mktemp("wrapper state") / ".batchlab").ensure()
    for folder in (made.logs, made.platform):
        folder.mkdir()
    yield made
    Pool(made).stop()


def run(state: StateDir, folder: Path, name: str, defaults: str = "") -> list[str]:
    """Run the program under a name with the image's environment; returns the words that it prints."""
    conf = folder / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "spark-defaults.conf").write_text(defaults)
    (folder / name).write_text(PROGRAM)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SPARK_HOME": str(submit_home(state)),
        "SPARK_CONF_DIR": str(conf),
    }
    done = subprocess.run([sys.executable, name], env=env, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the JVM was here" in done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_program_gets_a_jvm_of_its_own_and_dbt_a_warm_one(state: StateDir, tmp_path: Path) -> None:
    """Settings of code and of `spark-defaults.conf` hold either way, what the JVM says is told; only dbt borrows."""
    lease = Pool(state).lease()
    assert lease is not None
    lease.release()
    slot = Pool(state).slots[0]
    record = slot.jvm()
    assert record is not None
    for name, warm in (("etl.py", False), ("dbt", True), ("dbt", True)):
        words = run(state, tmp_path, name, "spark.extra 5\n")
        assert words[:4] == ["10", "mine", "7", "5"]
        assert (int(words[4]) == record.pid) is warm
    while slot.phase != FREE:
        assert slot.idle_seconds() < 30
    assert slot.jvm() == record
