"""`batchlab lab`: JupyterLab comes up on a lab, for nobody without the token, and on this machine only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from grader.course.places import CHECKOUT
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

BATCHLAB = CHECKOUT / ".venv" / "bin" / "batchlab"
PATIENCE = 180


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    """JupyterLab on the orientation, in an empty work folder: what it says of itself, and its process."""
    runtime, state = tmp_path / "runtime", tmp_path / "state"
    env = {**os.environ, "BATCHLAB_HOME": str(state), "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)}
    words = [str(BATCHLAB), "lab", "--no-browser", "--port", "0", "--work", str(tmp_path / "my work")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, env=env, stdout=log, stderr=log, cwd=tmp_path)
    try:
        yield _told(process, runtime, tmp_path / "log"), psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        Platform(StateDir(root=state)).stop()


def _told(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, str]:
    """Wait for the file in which a Jupyter server says where it listens."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        for file in runtime.glob("jpserver-*.json"):
            found: dict[str, str] = json.loads(file.read_text())
            return found
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-2000:])


@pytest.mark.slow
def test_jupyterlab_comes_up_on_the_orientation(served: tuple[dict[str, str], psutil.Process], tmp_path: Path) -> None:
    """The lab was begun; its kernel is the kit's; without a token nobody gets in; only loopback listens."""
    server, process = served
    assert (tmp_path / "my work" / "00-orientation" / "orientation.ipynb").is_file()
    token = {"token": server["token"]}
    assert len(server["token"]) >= 32
    listed = requests.get(f"{server['url']}api/contents/00-orientation", params=token, timeout=30).json()
    assert "orientation.ipynb" in {one["name"] for one in listed["content"]}
    kernels = requests.get(f"{server['url']}api/kernelspecs", params=token, timeout=30).json()["kernelspecs"]
    assert kernels["batchlab"]["spec"]["display_name"] == "Batch lab"
    assert requests.get(f"{server['url']}api/contents", timeout=30).status_code == 403
    found = {each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    assert found == {"127.0.0.1"}
