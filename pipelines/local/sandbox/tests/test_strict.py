"""Strangers' steps: somebody else, in a room that shows nothing but what they need."""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.engine import Engine, RunResult
from pipelines.local.engine.runner import Runner
from pipelines.local.errors import BadInput
from pipelines.local.sandbox.isolation import Isolation, Strangers
from pipelines.local.sandbox.limits import Limits
from pipelines.local.sandbox.tests.test_sandbox import isolated, log, message, script
from pipelines.local.state import StateDir

SECRET = f"nobody-may-see-{secrets.token_hex(8)}"
"""It is not in this file, which a stranger may see where the checkout is in one of the places that he looks at."""
SOMEBODY = 2_000_000_123 if os.geteuid() == 0 else None
MIB = 1 << 20
pytestmark = isolated


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A state directory with something secret in it."""
    made = StateDir(root=tmp_path / "a state").ensure()
    (made.root / "secret").write_text(SECRET)
    return made


def strange(state: StateDir, source: str, *, limits: Limits | None = None, **more: Any) -> tuple[RunResult, str]:
    """Run a stranger's script; returns its run and what it printed."""
    isolation = Isolation(limits=limits or Limits(seconds=30), strangers=Strangers(user=SOMEBODY))
    isolation.prepare(state)
    with closing(Engine(state, isolation=isolation)) as engine:
        result = script(engine, source, **more)
        return result, log(engine, result)


def test_an_honest_step_works(state: StateDir) -> None:
    """A stranger has a home, temporary files, any path of its own, and its outputs are saved."""
    source = "set -e; echo 1 > ~/a; echo 2 > /tmp/b; mkdir -p /any/where; echo 3 > /any/where/c; echo 4 > /dev/stdout"
    result, out = strange(state, source, outputs=("/root/a", "/tmp/b", "/any/where/c"))
    values = [each["value"] for each in result.document["nodes"]["w"]["outputs"]["parameters"]]
    assert (values, out) == (["1", "2", "3"], "4\n")


def test_python_and_artifacts_work(state: StateDir) -> None:
    """The interpreter with its packages is there; an artifact of one step reaches the next, which may change it."""

    def step(name: str, source: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "script": {"image": "python", "command": ["python"], "source": source}, **more}

    made = step(
        "make", "import yaml, os; os.mkdir('/tmp/o'); open('/tmp/o/x', 'w').write(yaml.dump([1]))",
        outputs={"artifacts": [{"name": "o", "path": "/tmp/o"}]},
    )  # fmt: skip
    used = step(
        "use", "open('/in/deep/x', 'a').write('2'); print(open('/in/deep/x').read())",
        inputs={"artifacts": [{"name": "i", "path": "/in/deep"}]},
        outputs={"parameters": [{"name": "all", "valueFrom": {"path": "/in/deep/x"}}]},
    )  # fmt: skip
    given = {"artifacts": [{"name": "i", "from": "{{steps.make.outputs.artifacts.o}}"}]}
    steps = [[{"name": "make", "template": "make"}], [{"name": "use", "template": "use", "arguments": given}]]
    spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": steps}, made, used]}
    isolation = Isolation(strangers=Strangers(user=SOMEBODY))
    isolation.prepare(state)
    with closing(Engine(state, isolation=isolation)) as engine:
        result = engine.run({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec})
    assert result.phase == "Succeeded", result.document
    last = next(node for node in result.document["nodes"].values() if node["displayName"] == "use")
    assert last["outputs"]["parameters"][0]["value"] == "- 1\n2"


def test_it_is_somebody_else_without_rights(state: StateDir) -> None:
    """A stranger has a number of its own, no capability, and can get none."""
    source = "id -u; grep -E '^(Cap(Prm|Eff|Bnd)|NoNewPrivs)' /proc/self/status; unshare -Ur id; mount -t tmpfs x /tmp"
    _, out = strange(state, source)
    assert out.split() == [
        "1000", "CapPrm:", "0" * 16, "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1",
    ]  # fmt: skip


def test_it_sees_only_its_own(state: StateDir, tmp_path: Path) -> None:
    """Neither the state directory nor anybody's files or processes are in its sight, and programs cannot be changed."""
    (tmp_path / "mine").write_text(SECRET)
    source = f"""
    cat '{state.root}/secret' '{tmp_path}/mine' /etc/shadow /proc/1/environ
    ls '{state.root}'; ls /home /media /srv /sys /run /boot; ls -d /proc/[0-9]* | wc -w
    for place in /usr/bin /etc/ssl/certs {os.path.dirname(os.__file__)}; do touch $place/x && echo wrote; done
    grep -rs {SECRET} /tmp /root /var /dev/shm
    """
    _, out = strange(state, source)
    lines = out.split()
    assert set(lines[:-1]) <= {"lineage", "logs", "warehouse", "cache", "steps"}
    assert int(lines[-1]) <= 4  # process 1, the script, ls and wc
    assert SECRET not in out


def test_another_ones_processes_are_out_of_reach(state: StateDir) -> None:
    """A stranger cannot end or trace anybody: not even process 1 of its own room."""
    source = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
for pid in [1, os.getppid()]:
    print(libc.ptrace(16, pid, 0, 0) == 0, end=" ")
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        pass
try:
    os.kill(-1, signal.SIGKILL)
except OSError:
    pass
print("alive")
"""
    template = {"image": "python", "command": ["python"], "source": source}
    result, out = strange(state, "", script=template)
    assert (out, result.phase) == ("False False alive\n", "Succeeded")


def test_what_it_leaves_running_ends_with_it(state: StateDir) -> None:
    """Processes that a step leaves behind write nothing after its end."""
    source = f"""
    (setsid sh -c 'trap "" TERM HUP; while :; do echo x >> "{state.warehouse}/late"; done' > /dev/null 2>&1 &)
    while ! [ -s '{state.warehouse}/late' ]; do :; done
    """
    strange(state, source)
    before = (state.warehouse / "late").stat().st_size
    strange(state, "sleep 0.3", name="v")
    assert (state.warehouse / "late").stat().st_size == before > 0


def test_its_disk_is_bounded(state: StateDir) -> None:
    """What a stranger writes is refused when its own file system is full, and the message says so."""
    result, _ = strange(
        state, "head -c 100000000 /dev/zero > /tmp/large || exit 7", limits=Limits(disk=20 * MIB, seconds=30)
    )
    assert message(result) == "main: Error (exit code 7): the step filled its 20 MiB of disk"


def test_so_is_the_number_of_its_files(state: StateDir) -> None:
    """Empty files without end are refused, too."""
    source = "mkdir /tmp/x; cd /tmp/x; seq 210000 | xargs touch || exit 7"
    result, _ = strange(state, source)
    assert message(result) == "main: Error (exit code 7): the step filled its 1 GiB of disk"


def test_processes_are_counted_by_the_kernel(state: StateDir) -> None:
    """A fork bomb ends at the limit, and with the step."""
    result, _ = strange(state, "b() { b | b & }; b; sleep 30", limits=Limits(processes=100, seconds=20))
    assert "the step had more than 100 processes and threads" in message(result)


def test_events_are_kept_file_by_file(state: StateDir) -> None:
    """Lineage that a step writes is appended to what is there; it can neither read nor change what others wrote."""
    state.lineage.mkdir(exist_ok=True)
    (state.lineage / "run.ndjson").write_text("one\n")
    source = f"cd '{state.lineage}'; ls; echo two > run.ndjson; echo three > other.ndjson; ln -s /etc/passwd link"
    _, out = strange(state, source)
    assert out == ""
    assert {path.name: path.read_text() for path in state.lineage.iterdir()} == {
        "run.ndjson": "one\ntwo\n",
        "other.ndjson": "three\n",
    }


def test_links_that_lead_out_are_not_kept(state: StateDir) -> None:
    """Of the links in an artifact, those inside of it are kept; the grader could follow others to what is its own."""
    links = {"in": "deep/file", "up": "../etc/passwd", "out": str(state.root / "secret"), "self": "/tmp/it/deep/file"}
    source = "mkdir -p /tmp/it/deep; touch /tmp/it/deep/file; cd /tmp/it\n"
    source += "\n".join(f"ln -s '{leads}' {name}" for name, leads in links.items())
    template = {"name": "main", "script": {"image": "bash", "command": ["bash"], "source": source}}
    artifacts = {"artifacts": [{"name": "it", "path": "/tmp/it"}]}
    spec = {"entrypoint": "main", "templates": [{**template, "outputs": artifacts}]}
    isolation = Isolation(strangers=Strangers(user=SOMEBODY))
    isolation.prepare(state)
    with closing(Engine(state, isolation=isolation)) as engine:
        assert engine.run({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}).phase == "Succeeded"
    kept = state.steps / "w" / "w" / "it.tgz"
    assert {path.name for path in kept.rglob("*")} == {"deep", "file", "in"}


def test_tables_are_written_for_real(state: StateDir) -> None:
    """The tables' folder is the one that the grader reads."""
    result, _ = strange(state, f"mkdir '{state.warehouse}/t' && echo row > '{state.warehouse}/t/file'")
    assert result.phase == "Succeeded"
    assert (state.warehouse / "t" / "file").read_text() == "row\n"


def test_without_namespaces_nothing_runs(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where strangers cannot be kept apart, their code is refused."""
    for feature in ("isolated", "own_pids"):
        monkeypatch.setattr(Runner, feature, property(lambda _: False, lambda *_: None), raising=False)
    with pytest.raises(BadInput, match="no namespaces to keep a stranger's code apart"):
        strange(state, "true")


def test_what_the_kernel_refuses_is_no_fault_of_the_step(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that cannot be made is an error that says so, and the step does not run without one."""
    monkeypatch.setattr(Isolation, "room", lambda *_, **__: {
        "user": SOMEBODY, "read": [], "write": ["/no/such/folder"], "scratch": [], "hide": [],
    })  # fmt: skip
    result, out = strange(state, "echo ran")
    assert "StartError (exit code 128): cannot prepare the step" in message(result)
    assert out == ""
