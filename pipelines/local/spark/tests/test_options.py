"""spark-submit's command line as the wrapper reads it, and the java command that it becomes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipelines.local.spark import command, options
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import find


def test_options_are_settings() -> None:
    """Options, `--conf` in every spelling and a properties file end up in one map; a later one wins."""
    found = options.parse(
        ["--master", "local[1]", "--conf", "a=1=2", "--conf=b=3", "-c", "a=4", "--driver-memory=2g", "pyspark-shell"]
    )
    assert found.conf == {"spark.master": "local[1]", "a": "4", "b": "3", "spark.driver.memory": "2g"}
    assert found.is_gateway


def test_program_is_no_gateway() -> None:
    """A program with its arguments is left as it is, options of the program too."""
    found = options.parse(["--class", "x.Y", "--verbose", "app.jar", "--conf", "not=ours"])
    assert (found.others, found.program) == (("--class", "x.Y", "--verbose"), ("app.jar", "--conf", "not=ours"))
    assert not found.is_gateway


def test_defaults_file(tmp_path: Path) -> None:
    """`spark-defaults.conf` may separate by space or by `=`; other keys and comments are not settings."""
    file = tmp_path / "spark-defaults.conf"
    file.write_text("# no\nspark.a  1 2\nspark.b=3=4\nspark.c = 5\nother 6\nspark.empty\n")
    assert options.read_properties(file) == {"spark.a": "1 2", "spark.b": "3=4", "spark.c": "5", "spark.empty": ""}
    assert options.read_properties(tmp_path / "absent") == {}


def test_java_command_is_the_launchers(tmp_path: Path) -> None:
    """Spark's own launcher gives the same flags and class path, but for what makes ours start fast."""
    java = find()
    env = {
        **os.environ,
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(tmp_path),
        "SPARK_SCALA_VERSION": "2.13",
    }
    launcher = [str(java.executable), "-cp", f"{spark_home()}/jars/*", "org.apache.spark.launcher.Main", command.SUBMIT]
    done = subprocess.run(
        [*launcher, "--driver-memory", "1g", "pyspark-shell"], env=env, capture_output=True, check=True
    )
    theirs = [word for word in done.stdout.decode().split("\0") if word.startswith(("-X", "-D", "--add"))]
    ours = command.java_command(java.executable, heap=1 << 30, log4j=tmp_path, archive=None)
    assert set(theirs) - set(ours) == {"-Xmx1g"}
    assert "-Xmx1024m" in ours


def test_own_collector_wins() -> None:
    """Two collectors would keep a JVM from starting."""
    ours = command.java_command(Path("java"), heap=1 << 30, log4j=Path("x"), archive=None, options=("-XX:+UseG1GC",))
    assert "-XX:+UseSerialGC" not in ours


@pytest.mark.parametrize("conf", [{}, {"spark.driver.extraJavaOptions": "-Da='b c' -Dd=e"}])
def test_java_options(conf: dict[str, str]) -> None:
    """JVM options are split as a shell would."""
    assert options.java_options(conf) == (("-Da=b c", "-Dd=e") if conf else ())
