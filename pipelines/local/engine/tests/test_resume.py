"""An executor that is killed leaves a store from which another one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.engine import Engine
from pipelines.local.engine.session import executor_lock
from pipelines.local.engine.tests.conftest import workflow
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

# Runs or resumes the workflow, and kills itself at the n-th transaction, before or after its commit.
PROGRAM = """
import json, os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from pipelines.local.engine import Engine, store
from pipelines.local.state import StateDir

root, at, after, manifest = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "after", json.loads(sys.argv[4])
count, plain = 0, store.Store.transaction

@contextmanager
def deadly(self):
    global count
    nested = self._connection().in_transaction
    with plain(self) as connection:
        yield connection
        if not nested:
            count += 1
            if count == at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
    if not nested and count == at and after:
        os.kill(os.getpid(), signal.SIGKILL)

store.Store.transaction = deadly
engine = Engine(StateDir(root=root))
known = [run.name for run in engine.runs()]
result = engine.resume("w") if known else engine.run(manifest)
engine.close()
print(json.dumps(result.document))
"""
TEMPLATES = """
- name: main
  dag:
    tasks:
    - {name: a, template: note}
    - {name: b, template: note, depends: a}
    - {name: c, template: flaky, depends: b}
- name: note
  script: {image: bash, command: [bash], source: "echo {{node.name}} >> FILE"}
- name: flaky
  retryStrategy: {limit: 1}
  script: {image: bash, command: [bash], source: "echo {{node.name}}-{{retries}} >> FILE; exit 1"}
"""


def _go(root: Path, manifest: dict[str, object], at: int, when: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(root), str(at), when, json.dumps(manifest)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _killed_at(folder: Path, at: int, when: str) -> bool:
    """Kill one run at a transaction and resume it; False if it ended before that transaction."""
    root, noted = folder / f"{when}{at}" / "state", folder / f"{when}{at}" / "noted"
    root.parent.mkdir()
    StateDir(root=root).ensure()
    noted = root / "noted"
    manifest = workflow(TEMPLATES.replace("FILE", str(noted)))
    done = _go(root, manifest, at, when)
    if done.returncode == 0:
        return False
    assert done.returncode == -signal.SIGKILL, done.stderr
    done = _go(root, manifest, 0, "after")
    if "has ended" not in done.stderr:
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        phases = {found["name"]: found["phase"] for found in document["nodes"].values()}
        assert phases == {
            "w": "Failed",
            "w.a": "Succeeded",
            "w.b": "Succeeded",
            "w.c": "Failed",
            "w.c(0)": "Failed",
            "w.c(1)": "Failed",
        }
    said = noted.read_text().split()
    assert sorted(set(said)) == ["w.a", "w.b", "w.c-0", "w.c-1"]
    assert len(said) <= 5, "at most the step that was running has run again"
    return True


@pytest.mark.parametrize(("at", "when"), [(3, "before"), (4, "after")])
def test_killed_at_a_store_write(tmp_path: Path, at: int, when: str) -> None:
    """Killed before or after a commit, a run goes on and ends as if nothing had happened."""
    assert _killed_at(tmp_path, at, when)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_store_write(tmp_path: Path, when: str) -> None:
    """The same at every transaction of a run."""
    at = 1
    while _killed_at(tmp_path, at, when):
        at += 1
    assert at > 8


def test_nothing_is_orphaned(tmp_path: Path) -> None:
    """When the executor is killed, its step ends at once, and so does what the step had started in the background."""
    state = StateDir(root=tmp_path / "state").ensure()
    pids = state.root / "pids"
    source = f"setsid sleep 300 & echo $! >> {pids}; sleep 300 & wait"
    manifest = workflow(f"- {{name: main, script: {{image: bash, command: [bash], source: '{source}'}}}}")
    command = [sys.executable, "-c", PROGRAM, str(state.root), "0", "after", json.dumps(manifest)]
    executor = subprocess.Popen(command)
    _until(lambda: pids.exists() and pids.read_text().strip() != "")
    assert _sleepers(tmp_path)
    executor.kill()
    executor.wait()
    _until(lambda: not _sleepers(tmp_path))


def _sleepers(folder: Path) -> list[int]:
    """Return the processes whose output goes below a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and str(folder) in str((process / "fd/1").readlink()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _until(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_executor_per_run(tmp_path: Path) -> None:
    """A run that another process executes cannot be resumed."""
    state = StateDir(root=tmp_path / "state")
    with closing(Engine(state)) as engine:
        engine.run(workflow("- {name: main, suspend: {}}"))
        with executor_lock(state.steps / "w", "w"), pytest.raises(BadInput, match="executed by another process"):
            engine.resume("w")
        assert engine.resume("w").phase == "Succeeded"
