"""What the image of a step with Spark has on this machine: `SPARK_HOME`, Java, the programs on its path."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.local.engine.images import Image
from pipelines.local.platform.code import CODE_ROOT, IMAGE
from pipelines.local.spark import conf, jars
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import find
from pipelines.local.state import StateDir


def work_images(state: StateDir) -> dict[str, Image]:
    """Return an image for each code snapshot of the state directory, by its name `batchlab/work:<hash>`."""
    if not state.code.is_dir():
        return {}
    home, java = submit_home(state), find()
    images = {}
    for root in sorted(
        folder for folder in state.code.iterdir() if folder.is_dir() and not folder.name.startswith(".")
    ):
        name = f"{IMAGE}:{root.name}"
        images[name] = Image(
            name=name,
            default_args=("python3",),
            env={**_env(state, home, java.home), "PYTHONPATH": str(root)},
            path=(home / "bin", Path(sys.executable).parent, java.home / "bin"),
            mounts={CODE_ROOT: root, str(jars.cache_root()): jars.cache_root(), str(java.home): java.home},
            workdir=CODE_ROOT,
        )
    return images


def submit_home(state: StateDir) -> Path:
    """Return a SPARK_HOME that is PySpark's, except that its `bin/spark-submit` is ours."""
    home = state.cache / "spark" / "home"
    (home / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("jars", "python"):
        link = home / name
        if not link.is_symlink() or link.readlink() != spark_home() / name:
            link.unlink(missing_ok=True)
            link.symlink_to(spark_home() / name)
    words = [sys.executable, "-I", "-m", "pipelines.local.spark.wrapper", str(state.root)]
    cache = shlex.quote(str(jars.cache_root()))
    script = f'#!/bin/sh\nBATCHLAB_CACHE={cache} exec {shlex.join(words)} "$@"\n'
    program = home / "bin" / "spark-submit"
    if not program.is_file() or program.read_text() != script:
        part = program.with_name(".spark-submit")
        part.write_text(script)
        part.chmod(0o755)
        part.replace(program)
    return home


def _env(state: StateDir, home: Path, java_home: Path) -> Mapping[str, str]:
    return {
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(conf.empty_conf_dir(state)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JAVA_HOME": str(java_home),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
