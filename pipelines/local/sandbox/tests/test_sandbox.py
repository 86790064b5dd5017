"""Steps run alone: what they write stays theirs, how they end is told in Argo's words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.local.engine import Engine, RunResult
from pipelines.local.engine.runner import Runner
from pipelines.local.state import StateDir


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on the wall clock."""
    with closing(Engine(StateDir(root=tmp_path / "a state"))) as made:
        yield made


def script(engine: Engine, source: str, *, name: str = "w", outputs: tuple[str, ...] = (), **more: object) -> RunResult:
    """Run one script; its outputs are read from these paths."""
    parameters = [{"name": f"p{index}", "valueFrom": {"path": path}} for index, path in enumerate(outputs)]
    template = {
        "name": "main",
        "script": {"image": "bash", "command": ["bash"], "source": source},
        "outputs": {"parameters": parameters},
        **more,
    }
    manifest = {"kind": "Workflow", "metadata": {"name": name}, "spec": {"entrypoint": "main", "templates": [template]}}
    return engine.run(manifest)


def log(engine: Engine, result: RunResult) -> str:
    """Return what the only step of a run printed."""
    return (engine.state.steps / result.name / result.name / "stdout.log").read_text()


def message(result: RunResult) -> str:
    """Return the message of the only step of a run."""
    found: str = result.document["nodes"][result.name].get("message", "")
    return found


isolated = pytest.mark.skipif(not Path("/proc/self/ns/mnt").exists(), reason="this system has no mount namespaces")


@isolated
def test_writes_anywhere_stay_private(engine: Engine, tmp_path: Path) -> None:
    """A step may write to any folder; its outputs are read from there, and the machine never sees them."""
    mine = tmp_path / "mine"
    paths = ("/tmp/x", "/batchlab-test/deep/x", "/batchlab-test.txt", "/etc/batchlab-test", str(mine))
    source = "".join(f"mkdir -p $(dirname '{path}'); echo {index} > '{path}'\n" for index, path in enumerate(paths))
    result = script(engine, source, outputs=paths)
    values = [each["value"] for each in result.document["nodes"]["w"]["outputs"]["parameters"]]
    assert values == ["0", "1", "2", "3", "4"]
    assert not any(Path(path).exists() for path in paths[1:])


@isolated
def test_a_destructive_step_harms_nothing(engine: Engine, tmp_path: Path) -> None:
    """A step that removes devices, programs, and everything it can reach leaves the machine as it was."""
    precious = tmp_path / "precious"
    precious.write_text("here")
    before = sorted(os.listdir("/dev")), sorted(os.listdir("/run")), sorted(os.listdir("/usr/bin"))
    script(engine, f"rm -rf /dev/* /run/* /usr/bin/env /sys/* {tmp_path}/precious 2>/dev/null; true")
    assert (sorted(os.listdir("/dev")), sorted(os.listdir("/run")), sorted(os.listdir("/usr/bin"))) == before
    assert precious.read_text() == "here"


@isolated
def test_private_files_are_removed(engine: Engine) -> None:
    """When a step has ended, nothing but its logs, its outputs and its result is left in its folder."""
    result = script(engine, "echo out; dd if=/dev/zero of=/tmp/big bs=1k count=10 2>/dev/null")
    engine.close()
    left = {path.name for path in (engine.state.steps / result.name / result.name).iterdir()}
    assert left == {"stdout.log", "stderr.log", "exit.json", "lock"}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            ["no-such"],
            'failed to find name in PATH: exec: "no-such": executable file not found in $PATH',
        ),
        (["/no/such"], 'failed to find name in PATH: exec: "/no/such": stat /no/such: no such file or directory'),
    ],
)
def test_programs_that_are_not_there(engine: Engine, command: list[str], text: str) -> None:
    """A command that cannot be found ends with 64 and the emissary's message."""
    template = {"name": "main", "container": {"image": "bash", "command": command}}
    manifest = {"kind": "Workflow", "metadata": {"name": "w"}, "spec": {"entrypoint": "main", "templates": [template]}}
    assert message(engine.run(manifest)) == f"main: Error (exit code 64): {text}"


def test_signals_end_with_128_and_their_number(engine: Engine) -> None:
    """A process that a signal ends has the exit code that a shell would give it."""
    assert message(script(engine, "kill -KILL $BASHPID")) == "main: Error (exit code 137)"


def test_termination_message(engine: Engine) -> None:
    """What a step writes to /dev/termination-log becomes part of its node's message."""
    result = script(engine, "echo -n because > /dev/termination-log; exit 3")
    assert message(result) == "main: Error (exit code 3): because"


def test_missing_outputs_are_an_error(engine: Engine) -> None:
    """A step that did not write its output ends in Error, with the path where Argo's executor looks for it."""
    result = script(engine, "true", outputs=("/tmp/absent",))
    assert result.phase == "Error"
    assert message(result) == (
        "wait: Error (exit code 64): open /var/run/argo/outputs/parameters/tmp/absent: no such file or directory"
    )


def test_deadline_ends_a_step(engine: Engine) -> None:
    """A step past its deadline is ended, with the kubelet's message."""
    result = script(engine, "sleep 60 & wait", activeDeadlineSeconds=1)
    assert message(result) == "Pod was active on the node longer than the specified deadline"


def test_environment_is_the_manifests(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step sees nothing of the executor's own environment."""
    monkeypatch.setenv("BATCHLAB_SECRET", "x")
    result = script(engine, "env")
    names = {line.partition("=")[0] for line in log(engine, result).splitlines()}
    assert "BATCHLAB_SECRET" not in names
    assert {"PATH", "HOME", "HOSTNAME", "ARGO_NODE_ID"} <= names


def test_without_namespaces_one_at_a_time(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where steps cannot be isolated, those that name the same path do not run at the same time."""
    path = tmp_path / "shared" / "out"
    for feature in ("isolated", "own_pids"):
        monkeypatch.setattr(Runner, feature, property(lambda _: False, lambda *_: None), raising=False)
    step = {
        "name": "step",
        "inputs": {"parameters": [{"name": "x"}]},
        "script": {
            "image": "bash",
            "command": ["bash"],
            "source": f"mkdir -p {path.parent}; echo {{{{inputs.parameters.x}}}} > {path}; sleep 0.2",
        },
        "outputs": {"parameters": [{"name": "out", "valueFrom": {"path": str(path)}}]},
    }
    argument = {"parameters": [{"name": "x", "value": "{{item}}"}]}
    loop = {"name": "each", "template": "step", "arguments": argument, "withItems": ["a", "b", "c"]}
    spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": [[loop]]}, step]}
    result = engine.run({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec})
    values = [
        found["outputs"]["parameters"][0]["value"]
        for found in result.document["nodes"].values()
        if found["type"] == "Pod"
    ]
    assert values == ["a", "b", "c"]
