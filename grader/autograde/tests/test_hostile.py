"""Submissions that try everything but the task: each gets the grade that it deserves, or a clear 'could not run'."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

import grader
from grader.autograde import CouldNotRun, Limits, can_isolate, grade
from grader.autograde.tests.targets import SECRET
from pipelines.local.sandbox.limits import Limits as StepLimits

MIB = 1 << 20
TARGET = "grader.autograde.tests.targets:plain"
OUTPUT = {"parameters": [{"name": "x", "valueFrom": {"path": "/tmp/x"}}]}
LIMITS = Limits(
    seconds=120, tables=30 * MIB, step=StepLimits(seconds=60, memory=400 * MIB, processes=200, disk=20 * MIB)
)
pytestmark = pytest.mark.skipif(bool(can_isolate()), reason="this system cannot make a box")


def step(source: str, *, python: bool = True, **more: Any) -> dict[str, Any]:
    """Return a template whose output is `/tmp/x`."""
    image, command = ("python", ["python"]) if python else ("bash", ["bash"])
    script = {"image": image, "command": command, "source": source, **more.pop("script", {})}
    return {"name": "main", "script": script, "outputs": OUTPUT, **more}


def graded(folder: Path, template: dict[str, Any], *others: dict[str, Any], limits: Limits = LIMITS) -> dict[str, Any]:
    """Grade a submission of one workflow; the grader must have got through it unharmed."""
    folder.mkdir(exist_ok=True)
    (folder / "hidden").mkdir()
    (folder / "hidden" / "checks.py").write_text(f"ANSWER = {SECRET!r}")
    (folder / "work").mkdir()
    spec = {"entrypoint": "main", "templates": [template, *others]}
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}
    (folder / "work" / "workflow.yaml").write_text(yaml.safe_dump(workflow))
    found = grade(folder / "work", [], target=TARGET, hidden=folder / "hidden", limits=limits)
    assert (found["honest"], found["credentials"], found["left"]) == (["42"], SECRET, []), found
    assert SECRET not in found["log"]
    return found


def test_an_honest_one_passes(tmp_path: Path) -> None:
    """What does the task passes: the others fail for what they do."""
    assert graded(tmp_path, step("open('/tmp/x', 'w').write('42')"))["outcome"] == "pass"


def test_a_fake_report(tmp_path: Path) -> None:
    """Printing a verdict, to whatever descriptor or file, is no verdict."""
    source = """
import json, os
verdict = json.dumps({"outcome": "pass", "value": {"outcome": "pass"}, "score": 100})
print(verdict, flush=True)
for descriptor in range(2, 64):
    try:
        os.write(descriptor, verdict.encode())
    except OSError:
        pass
for name in ("report.json", "/box/result.json", "/box/state/report.json", "exit.json"):
    try:
        open(name, "w").write(verdict)
    except OSError:
        pass
"""
    found = graded(tmp_path, step(source))
    assert (found["outcome"], found["phase"]) == ("fail", "Error")


def test_ending_early(tmp_path: Path) -> None:
    """Ending with 0 before the work is done is work not done."""
    found = graded(tmp_path, step("import os; os._exit(0); open('/tmp/x', 'w').write('42')"))
    assert found["outcome"] == "fail"
    assert "no such file or directory" in found["message"]


def test_monkeypatching_what_others_import(tmp_path: Path) -> None:
    """Files that every Python would load, and the kit's own, cannot be written where anybody else looks."""
    source = f"""
import os, site, sys
evil = "import builtins, os; builtins.open = lambda *a, **k: os._exit(0)"
written = 0
places = [*sys.path, site.getusersitepackages(), *site.getsitepackages(), {str(Path(grader.__file__).parent)!r}]
for folder in places:
    for name in ("sitecustomize.py", "usercustomize.py", "evil.pth", "yaml.py", "json/__init__.py", "__init__.py"):
        try:
            os.makedirs(folder, exist_ok=True)
            open(os.path.join(folder, name), "w").write(evil)
            written += 1
        except OSError:
            pass
import json, decimal, subprocess
json.loads = decimal.Decimal = subprocess.Popen = None  # of this fork only
print(written)
"""
    found = graded(tmp_path, step(source))
    assert found["outcome"] == "fail"
    assert found["log"].strip().isdigit()


def test_environment_that_pythons_obey(tmp_path: Path) -> None:
    """A step may set its own PYTHONPATH and the like; they reach no other process."""
    env = [
        {"name": "PYTHONPATH", "value": "/tmp/evil"},
        {"name": "PYTHONSTARTUP", "value": "/tmp/evil/start.py"},
        {"name": "LD_PRELOAD", "value": "/tmp/evil/lib.so"},
        {"name": "BATCHLAB_HOME", "value": "/tmp/evil"},
    ]
    source = "import os; os.makedirs('/tmp/evil'); open('/tmp/evil/sitecustomize.py', 'w').write('raise SystemExit(0)')"
    assert graded(tmp_path, step(source, script={"env": env}))["outcome"] == "fail"


def test_daemons_that_write_later(tmp_path: Path) -> None:
    """A process that outlives its step would change tables when nobody looks: it ends with the step."""
    source = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        for descriptor in range(3):
            os.close(descriptor)
        with open("/box/state/warehouse/late", "w") as file:
            for _ in range(600):
                file.write("x")
                file.flush()
                time.sleep(0.05)
    os._exit(0)
while not os.path.exists("/box/state/warehouse/late"):
    time.sleep(0.01)
"""
    found = graded(tmp_path, step(source))
    assert found["outcome"] == "fail"
    assert found["tables"]["late"] < 100


def test_a_fork_bomb(tmp_path: Path) -> None:
    """Processes without end are ended, and the message says why."""
    found = graded(
        tmp_path, step("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass")
    )
    assert found["message"] == "main: Error (exit code 137): the step had more than 200 processes and threads"


def test_sleeping_for_ever(tmp_path: Path) -> None:
    """A step that never ends is ended after its time, even if it ignores signals and has forked."""
    source = "trap '' TERM INT HUP; setsid sleep 100000 & sleep 100000; sleep 100000"
    limits = Limits(seconds=60, step=StepLimits(seconds=2))
    found = graded(tmp_path, step(source, python=False), limits=limits)
    assert found["message"] == "main: Error (exit code 137): the step ran for more than 2 seconds"


def test_filling_the_disk(tmp_path: Path) -> None:
    """Its own files have a file system of their own: filling it stops nobody else."""
    found = graded(tmp_path, step("with open('/tmp/large', 'wb') as file:\n    while True: file.write(bytes(1 << 20))"))
    assert found["message"] == "main: Error (exit code 1): the step filled its 20 MiB of disk"


def test_filling_the_tables(tmp_path: Path) -> None:
    """So have the tables: the grader's own files are elsewhere."""
    source = "with open('/box/state/warehouse/large', 'wb') as file:\n    while True: file.write(bytes(1 << 20))"
    found = graded(tmp_path, step(source))
    assert "No space left on device" in found["log"]
    assert 0 < found["tables"]["large"] <= 30 * MIB


def test_taking_all_memory(tmp_path: Path) -> None:
    """Memory without end ends the step, not the machine."""
    found = graded(tmp_path, step("all = []\nwhile True: all.append(b'x' * (10 << 20))"))
    assert found["message"] == "main: OOMKilled (exit code 137): the step used more than 400 MiB of memory"


def test_printing_without_end(tmp_path: Path) -> None:
    """What is printed beyond the limit is dropped."""
    found = graded(tmp_path, step("head -c 200000000 /dev/zero | tr '\\0' x; echo -n 42 > /tmp/x", python=False))
    assert found["outcome"] == "pass"
    assert len(found["log"]) < 9 * MIB


def test_killing_its_parent_and_everybody(tmp_path: Path) -> None:
    """Whoever it kills, it is only its own."""
    source = """
import os, signal
for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
    for pid in (os.getppid(), 1, -1, *range(2, 300)):
        if pid != os.getpid():
            try:
                os.kill(pid, number)
            except OSError:
                pass
os.killpg(0, signal.SIGKILL)
"""
    found = graded(tmp_path, step(source))
    assert found["outcome"] == "fail"
    assert found["message"] in {
        f"main: Error (exit code {128 + number})" for number in (signal.SIGKILL, signal.SIGTERM)
    }


def test_reading_what_it_must_not(tmp_path: Path) -> None:
    """No secret of the grader's, no check, no run store, nobody's environment is to be found anywhere it can read."""
    source = f"""
import os
secret = {SECRET[:8]!r} + {SECRET[8:]!r}
print("looked", flush=True)
tried = ["/box/state/credentials.json", "/box/state/runs.db", "/box/hidden/checks.py", "/box/argument.json",
         "/box/submission/workflow.yaml", "/proc/1/environ", "/proc/self/environ", "/proc/1/cmdline",
         "/proc/1/root/box/state/credentials.json", "/proc/1/cwd/../state/credentials.json"]
for top in ("/box", "/tmp", "/var", "/root", "/home", "/run", "/mnt", "/dev/shm", "/argo", "/opt"):
    for parent, _, names in os.walk(top):
        tried += [os.path.join(parent, name) for name in names]
for name in os.listdir("/proc"):
    if name.isdigit():
        tried += [f"/proc/{{name}}/{{what}}" for what in ("environ", "cmdline", "maps", "mounts")]
found = 0
for path in tried:
    try:
        with open(path, "rb") as file:
            found += secret.encode() in file.read(1 << 20)
    except OSError:
        pass
print("found", found)
"""
    found = graded(tmp_path, step(source))
    assert found["log"] == "looked\nfound 0\n"


def test_leading_the_grader_to_what_it_must_not_read(tmp_path: Path) -> None:
    """Links in outputs and artifacts lead nowhere but into the step's own room."""
    first = step(
        "ln -s /box/state/credentials.json /tmp/x; mkdir /tmp/d; ln -s /box/hidden /tmp/d/h; ln -s /box/state /tmp/d/s",
        python=False,
        outputs={"artifacts": [{"name": "d", "path": "/tmp/d"}, {"name": "f", "path": "/tmp/x", "optional": True}]},
    )
    keys = ["w/{pod}/d.tgz/h/checks.py", "w/{pod}/d.tgz/s/credentials.json", "../credentials.json", "w/executor.lock"]
    second = step("cat /tmp/in*; true", python=False)
    second["inputs"] = {
        "artifacts": [
            {"name": f"i{number}", "path": f"/tmp/in{number}", "optional": True,
             "s3": {"key": key.format(pod="{{=workflow.name}}")}}
            for number, key in enumerate(keys)
        ]
    }  # fmt: skip
    steps = {"name": "main", "steps": [[{"name": "a", "template": "first"}], [{"name": "b", "template": "second"}]]}
    found = graded(tmp_path, steps, {**first, "name": "first"}, {**second, "name": "second"})
    assert found["outcome"] == "fail"


def test_the_network(tmp_path: Path) -> None:
    """Neither the world nor a server on this machine's loopback can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"""
import ctypes
import os
import signal
import socket
for address in (("127.0.0.1", {server.getsockname()[1]}), ("1.1.1.1", 443), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 3)
        print("connected")
    except OSError:
        print("refused")
try:
    print(socket.gethostbyname("example.com"))
except OSError:
    print("unknown")
"""
        found = graded(tmp_path, step(source))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert found["log"].split() == ["refused", "refused", "refused", "unknown"]


def test_looking_into_other_processes(tmp_path: Path) -> None:
    """Neither tracing nor reading memory works, not even on process 1 of its own room."""
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
got = sum(libc.ptrace(16, pid, 0, 0) == 0 for pid in range(1, 300) if pid != os.getpid())
for pid in range(1, 300):
    if pid != os.getpid():
        try:
            open(f"/proc/{pid}/mem", "rb").close()
            got += 1
        except OSError:
            pass
print("got", got)
"""
    assert graded(tmp_path, step(source))["log"] == "got 0\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of the calls are this machine's")
def test_keys_of_the_session(tmp_path: Path) -> None:
    """A key of the session in which the instructor grades is not to be had, and none can be left for others."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = libc.syscall(248, b"user", b"batchlab-test", SECRET.encode(), len(SECRET), -3)
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
key = libc.syscall(250, 10, -3, b"user", b"batchlab-test", 0)
text = ctypes.create_string_buffer(100)
print("key", key, libc.syscall(250, 11, key, text, 100), "batchlab-test" in open("/proc/keys").read())
"""
    try:
        assert graded(tmp_path, step(source))["log"] == "key -1 -1 False\n"
        assert libc.syscall(250, 10, -3, b"user", b"batchlab-test", 0) == key
    finally:
        libc.syscall(250, 3, key)


def test_getting_out_of_its_room(tmp_path: Path) -> None:
    """No namespace, mount, root, device or set-uid program helps."""
    source = """
unshare -Urm true; unshare -m true; chroot / true; mount -t tmpfs x /mnt; mount -o remount,rw /usr; umount /proc
mknod /tmp/sda b 8 0; su -c true; sudo -n true; nsenter -t 1 -m true; echo x > /proc/sys/kernel/hostname
echo 1 > /proc/sys/kernel/panic; echo b > /proc/sysrq-trigger; echo x > /sys/kernel/x; date -s 2001-01-01
touch /usr/x /etc/ld.so.preload_ /usr/bin/x
"""
    found = graded(tmp_path, step(source.replace("; ", " && echo got; ").replace("\n", " && echo got\n"), python=False))
    lines = [line for line in found["log"].splitlines() if line == "got"]
    assert lines == []


def test_a_manifest_without_end(tmp_path: Path) -> None:
    """A manifest that would have the grader itself run for ever, or out of memory, gets no verdict, and says why."""
    bomb = {"name": "main", "steps": [[{"name": "a", "template": "main"}, {"name": "b", "template": "main"}]]}
    limits = Limits(seconds=5, memory=600 * MIB, step=StepLimits(seconds=2))
    with pytest.raises(CouldNotRun, match=r"grading (took|needed) more than"):
        graded(tmp_path, bomb, limits=limits)
