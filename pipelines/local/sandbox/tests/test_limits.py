"""A step that uses more than it may fails, and its message names the limit; one that stays below notices nothing."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.engine import Engine, RunResult
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.sandbox.limits import Limits, Watch, size
from pipelines.local.sandbox.tests.test_sandbox import isolated, log, message, script
from pipelines.local.state import StateDir

MIB = 1 << 20
KILLED = "main: Error (exit code 137): the step"


PYTHON = shlex.quote(sys.executable)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A state directory."""
    return tmp_path / "state"


def limited(root: Path, source: str, **limits: object) -> tuple[RunResult, str]:
    """Run a script within limits; returns its run and what it printed."""
    isolation = Isolation(limits=Limits(**limits))  # type: ignore[arg-type]
    with closing(Engine(StateDir(root=root), isolation=isolation)) as engine:
        result = script(engine, source)
        return result, log(engine, result)


def test_what_stays_below_is_as_ever(root: Path) -> None:
    """Output, error and exit code of a step within its limits are those of one without."""
    result, out = limited(root, "echo out; echo err >&2; echo again > /dev/stdout; exit 3")
    assert (result.phase, message(result), out) == ("Failed", "main: Error (exit code 3)", "out\nagain\n")
    assert (root / "steps" / "w" / "w" / "stderr.log").read_text() == "err\n"


def test_time(root: Path) -> None:
    """A step that never ends is ended."""
    result, _ = limited(root, "sleep 1000 & wait", seconds=0.3)
    assert message(result) == f"{KILLED} ran for more than 0.3 seconds"


def test_memory_of_one_process(root: Path) -> None:
    """A process that keeps more than the limit is ended as a container would be."""
    grow = 'x = bytearray(300 << 20); x[::4096] = b"1" * len(x[::4096]); input()'
    result, _ = limited(root, f"sleep 1000 | {PYTHON} -c '{grow}'", memory=200 * MIB)
    assert message(result) == "main: OOMKilled (exit code 137): the step used more than 200 MiB of memory"


def test_memory_of_several_processes(root: Path) -> None:
    """Processes that are small one by one count together."""
    grow = 'x = bytearray(90 << 20); x[::4096] = b"1" * len(x[::4096]); input()'
    many = " & ".join([f"sleep 1000 | {PYTHON} -c '{grow}'"] * 3)
    result, _ = limited(root, f"{many} & wait", memory=200 * MIB)
    assert message(result) == "main: OOMKilled (exit code 137): the step used more than 200 MiB of memory"


@isolated
def test_shared_memory_counts_once(root: Path) -> None:
    """Forks that only share what their parent had are not counted again each."""
    fork = "import os, time; x = bytearray(100 << 20); x[::4096] = b'1' * len(x[::4096])\n"
    fork += "pids = [os.fork() for _ in range(1)]\nif 0 in pids: time.sleep(1)\nelse: [os.wait() for _ in pids]"
    source = f"cat > /tmp/fork.py <<'END'\n{fork}\nEND\n{PYTHON} /tmp/fork.py"
    result, _ = limited(root, source, memory=170 * MIB)
    assert result.phase == "Succeeded", message(result)


def test_processes(root: Path) -> None:
    """A step that starts too many processes is ended, all of them."""
    result, _ = limited(root, "for i in $(seq 50); do sleep 1000 & done; wait", processes=20)
    assert message(result) == f"{KILLED} had more than 20 processes and threads"


def test_output_is_cut(root: Path) -> None:
    """What a step prints beyond the limit is dropped, with a word in its place; the step goes on."""
    result, out = limited(root, "head -c 3000000 /dev/zero | tr '\\0' x; echo > /tmp/end", output=1 * MIB)
    assert result.phase == "Succeeded"
    kept, _, said = out.partition("\n")
    assert kept == "x" * MIB
    assert said == "[batchlab: more than 1048576 bytes; the rest was dropped]\n"


def test_a_step_that_never_stops_printing_is_ended(root: Path) -> None:
    """Output without end does not keep the supervisor from looking at the clock."""
    result, _ = limited(root, "yes", seconds=0.5, output=MIB)
    assert message(result) == f"{KILLED} ran for more than 0.5 seconds"


def test_size_of_a_file(root: Path) -> None:
    """A file may not grow past the limit."""
    result, _ = limited(root, "exec head -c 3000000 /dev/zero > /tmp/large", file=1 * MIB)
    assert message(result) == "main: Error (exit code 153): the step wrote a file of more than 1 MiB"


def test_size_of_what_is_saved(root: Path) -> None:
    """Outputs that are too large are not kept, and the message says which."""
    isolation = Isolation(limits=Limits(saved=MIB))
    with closing(Engine(StateDir(root=root), isolation=isolation)) as engine:
        result = script(engine, "head -c 3000000 /dev/zero > /tmp/large", outputs=("/tmp/large",))
    assert message(result) == "main: Error (exit code 1): the step leaves too much: /tmp/large"


@pytest.mark.parametrize("kind", ["mkfifo /tmp/it", "ln -s /dev/zero /tmp/it"])
def test_outputs_that_are_no_files(root: Path, kind: str) -> None:
    """A pipe or a device in an output's place is no output, and nobody waits for it."""
    with closing(Engine(StateDir(root=root))) as engine:
        result = script(engine, kind, outputs=("/tmp/it",))
    assert message(result).endswith("open /var/run/argo/outputs/parameters/tmp/it: no such file or directory")


def test_links_in_an_artifact_stay_links(root: Path) -> None:
    """A link inside a folder that a step puts out is not followed: it may lead to what the step could not read."""
    artifacts = {"artifacts": [{"name": "it", "path": "/tmp/it"}]}
    source = (
        "mkdir -p /tmp/it/deep; ln -s /etc/hostname /tmp/it/link; echo x > /tmp/it/deep/run; chmod 755 /tmp/it/deep/run"
    )
    with closing(Engine(StateDir(root=root))) as engine:
        template = {"name": "main", "script": {"image": "bash", "command": ["bash"], "source": source}}
        spec = {"entrypoint": "main", "templates": [{**template, "outputs": artifacts}]}
        result = engine.run({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec})
    kept = root / "steps" / "w" / result.name / "it.tgz"
    assert (kept / "link").readlink() == Path("/etc/hostname")
    assert os.access(kept / "deep" / "run", os.X_OK)


def test_an_artifacts_key_through_a_link_is_refused(root: Path) -> None:
    """A key that leads out of the artifacts by way of a link that a step left there names nothing."""
    (root / "secret").mkdir(parents=True)
    (root / "version").write_text("1\n")
    (root / "secret" / "file").write_text("secret")
    (root / "steps" / "old").mkdir(parents=True)
    (root / "steps" / "old" / "out").symlink_to(root / "secret")
    artifact = {"name": "in", "path": "/tmp/in", "s3": {"key": "old/out/file"}}
    with closing(Engine(StateDir(root=root))) as engine:
        template = {"name": "main", "script": {"image": "bash", "command": ["bash"], "source": "cat /tmp/in"}}
        spec = {"entrypoint": "main", "templates": [{**template, "inputs": {"artifacts": [artifact]}}]}
        result = engine.run({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec})
    assert message(result) == "artifact 'in': its key leads out of the artifacts"


def test_descendants_count_wherever_they_are() -> None:
    """A watch finds the children of children, and kills those in sessions of their own, too."""
    nest = f"setsid {PYTHON} -c 'import time; print(flush=True); time.sleep(1000)' & wait"
    with subprocess.Popen(["bash", "-c", nest], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        eye = Watch(Limits(processes=2), process.pid, alone=False)
        breach = eye.look()
        assert breach is not None
        assert "more than 2 processes" in breach.message
        eye.kill()
        assert process.wait() == -signal.SIGKILL
        assert process.stdout.read() == b""


def test_a_watch_looks_from_time_to_time() -> None:
    """Looks are due at once, then again after a pause."""
    eye = Watch(Limits(seconds=None), os.getpid(), alone=False)
    begun = time.monotonic()
    assert eye.due()
    assert not eye.due() or time.monotonic() - begun > 0.05
    assert eye.pause <= 0.1
    assert eye.look() is None


def test_sizes_in_words() -> None:
    """Sizes are said in the largest unit that leaves one or more."""
    assert [size(n) for n in (5, 2048, 3 * MIB, 3 << 29)] == ["5 bytes", "2 KiB", "3 MiB", "1.5 GiB"]
