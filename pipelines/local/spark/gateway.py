"""A JVM that waits for Python: PySpark's own gateway server, started with our command."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipelines.local.spark.command import SUBMIT


class GatewayGone(Exception):  # noqa: N818 - a fact about the JVM
    """The JVM ended, or never said where it listens."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a gateway listens, and its secret."""

    port: int
    secret: str

    def env(self) -> dict[str, str]:
        """Return the variables by which PySpark finds a gateway that runs already."""
        return {"PYSPARK_GATEWAY_PORT": str(self.port), "PYSPARK_GATEWAY_SECRET": self.secret}

    def write(self, path: Path) -> None:
        """Write it as a JVM does, in one step, so that PySpark's `launch_gateway` reads it."""
        part = path.with_name(path.name + ".part")
        secret = self.secret.encode()
        part.write_bytes(struct.pack("!i", self.port) + struct.pack("!i", len(secret)) + secret)
        part.replace(path)


def start(
    java_argv: Sequence[str],
    submit_argv: Sequence[str],
    *,
    info: Path,
    env: Mapping[str, str],
    cwd: Path,
    log: IO[bytes] | int | None,
) -> subprocess.Popen[bytes]:
    """Start a JVM with PySpark's gateway in it; it ends when its standard input is closed.

    Args:
        java_argv: the java command without a main class.
        submit_argv: spark-submit's options, without a program.
        info: file that does not exist, where the JVM writes its address.
        env: its whole environment.
        cwd: its working folder.
        log: where its output goes.
    """
    return subprocess.Popen(
        [*java_argv, SUBMIT, *submit_argv, "pyspark-shell"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd=cwd,
        env={**env, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(info), "SPARK_CONNECT_MODE": "0"},
    )


def await_address(process: subprocess.Popen[bytes], info: Path, *, patience: float = 120.0) -> Address:
    """Wait for the JVM to write its address; the file is removed.

    Raises:
        GatewayGone: it ended first, or took longer than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        if info.exists():
            address = _parse(info.read_bytes())
            info.unlink()
            return address
        if process.poll() is not None:
            raise GatewayGone(f"the JVM ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise GatewayGone("the JVM did not come up")
        time.sleep(0.02)


def _parse(content: bytes) -> Address:
    port, length = struct.unpack("!ii", content[:8])
    return Address(port=port, secret=content[8 : 8 + length].decode())


def spark_env(base: Mapping[str, str], *, home: Path, conf_dir: Path, java_home: Path, python: str) -> dict[str, str]:
    """Return the environment of a local driver: what must be so for a run to be local, on top of `base`.

    Without a word about it, time is UTC and text is UTF-8, as in a container.
    """
    text = {} if "LANG" in base or "LC_ALL" in base else {"LANG": "C.UTF-8"}
    return {
        "TZ": "UTC",
        **text,
        **base,
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(conf_dir),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_ENV_LOADED": "1",
        "SPARK_SCALA_VERSION": "2.13",
        "JAVA_HOME": str(java_home),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
        "PYTHONHASHSEED": "0",
        "PATH": base.get("PATH", os.defpath),
    }
