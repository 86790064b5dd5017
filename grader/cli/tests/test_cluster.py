"""`batchlab cluster`: what is missing or wrong is said before anything is done, with the next step."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
from pathlib import Path

import pytest

from grader.cli import main
from grader.cluster import kind, place
from grader.cluster.commands import DOCKER, FLUX, KIND, KUBECTL
from pipelines.local.state import StateDir


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """Have a state directory, and a path with nothing on it."""
    monkeypatch.setenv("BATCHLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / "bin").mkdir()
    return StateDir(root=tmp_path / "home").ensure()


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    """Put a program on the path."""
    file = folder / name
    file.write_text(f"#!{shutil.which('sh', path=os.defpath)}\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must be refused; returns its one line."""
    with pytest.raises(SystemExit) as ended:
        main(["cluster", *words])
    assert ended.value.code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("batchlab: ")
    assert "Traceback" not in "".join(said)
    return said[-1]


def test_missing_tools_are_all_named_with_how_to_get_them(home: StateDir, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made before every tool is there."""
    said = refused(capsys, "up")
    for tool in (DOCKER, KIND, KUBECTL, FLUX):
        assert f"{tool.name} is missing" in said
        assert tool.remedy in said
    assert place.find(home) is None


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "Docker does not answer: Cannot connect"),
        ("""echo '{"MemTotal": 2147483648}'""", "Docker has 2.0 GiB of memory"),
        ("""echo '{"ServerErrors": ["x"]}'""", "Docker does not run"),
    ],
)
def test_docker_without_daemon_or_memory(
    home: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, expected: str
) -> None:
    """Each is told with what to do, and there is no half-made cluster."""
    for name in ("kind", "kubectl", "flux"):
        program(tmp_path / "bin", name)
    program(tmp_path / "bin", "docker", script)
    assert expected in refused(capsys, "up")
    assert place.find(home) is None


def test_taken_ports_are_named(
    home: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the cluster is begun, not in its middle."""
    for name in ("kind", "kubectl", "flux"):
        program(tmp_path / "bin", name)
    program(tmp_path / "bin", "docker", "case $1 in info) echo '{\"MemTotal\": 9000000000}';; *) echo true;; esac")
    monkeypatch.setattr(kind, "_free", lambda port: port != 2746)
    assert "ports are taken on 127.0.0.1: 2746" in refused(capsys, "up")


def test_an_existing_cluster_needs_a_registry(
    home: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And options of one kind of cluster are refused with the other."""
    assert "--registry HOST:PORT" in refused(capsys, "up", "--existing")
    assert "add --existing" in refused(capsys, "up", "--registry", "r:5000")
    said = refused(capsys, "up", "--existing", "--registry", "r:5000", "--builder", "no-such-program")
    assert "--builder no-such-program: there is no such program" in said
    said = refused(capsys, "up", "--existing", "--registry", "r:5000", "--builder", f"{tmp_path}/my tools/build")
    assert "a path with a space in it needs quotation marks of its own" in said
    (tmp_path / "my tools").mkdir()
    program(tmp_path / "my tools", "build")
    for written in (f"'{tmp_path}/my tools/build' --fast", shlex.quote(f"{tmp_path}/my tools/build")):
        found = place.choose(home, existing=True, registry="r:5000", overlay=None, builder=written)
        assert shlex.split(found.builder)[0] == f"{tmp_path}/my tools/build"


def test_a_cluster_that_does_not_answer(home: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong kubeconfig, and a user without rights."""
    for name in ("flux", "build"):
        program(tmp_path / "bin", name)
    words = ("up", "--existing", "--registry", "r:5000", "--builder", "build")
    program(tmp_path / "bin", "kubectl", "echo 'dial tcp: connection refused' >&2; exit 1")
    assert "the cluster does not answer: dial tcp: connection refused" in refused(capsys, *words)
    program(tmp_path / "bin", "kubectl", "case $1 in auth) echo no;; *) echo ok;; esac")
    assert "cluster-admin" in refused(capsys, *words)
    program(tmp_path / "bin", "kubectl", "case $1 in auth) echo yes;; *) echo ok;; esac")
    assert "the registry does not answer" in refused(capsys, *words[:3], "127.0.0.1:9", *words[4:])


def test_without_a_cluster_there_is_nothing_to_show(home: StateDir, capsys: pytest.CaptureFixture[str]) -> None:
    """`status`, `push` and `down` say how to make one; a checkout has one cluster at a time."""
    for verb in ("status", "push", "down"):
        assert "batchlab cluster up" in refused(capsys, verb)
    here = place.Place(kind=True, kubeconfig="x", push="a:1", pull="b:1")
    place.save(home, here)
    assert place.load(home) == here
    assert "batchlab cluster down" in refused(capsys, "up", "--existing", "--registry", "r:5000")
    place.path(home).write_text("{}")
    assert "run `up` again" in refused(capsys, "status")


def test_down_says_what_would_be_lost_and_asks(
    home: StateDir, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Volumes are named with what they hold; without a yes nothing happens."""
    claim = {"metadata": {"name": "data-store-0"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    answer = json.dumps({"items": [claim]})
    script = f"case $2 in persistentvolumeclaims) echo '{answer}';; can-i) echo yes;; --raw) echo ok;; esac"
    program(tmp_path / "bin", "kubectl", script)
    place.save(home, place.Place(kind=False, kubeconfig="x", push="a:1", pull="b:1"))
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    with pytest.raises(SystemExit) as ended:
        main(["cluster", "down"])
    assert ended.value.code == 1
    assert "volume data-store-0 (5Gi): every table" in capsys.readouterr().err
    assert place.find(home) is not None


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "cluster"), "this checkout has no cluster; make one with `batchlab cluster up`"),
        (("--target", "cluster", "--fresh"), "a cluster plays everything anew"),
        (("--target", "cluster", "--hidden", "x"), "hidden checks need a box"),
        (("--days", "1"), "here both days are played"),
    ],
)
def test_grading_on_a_cluster_is_refused(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a cluster, or with options that mean nothing there."""
    with pytest.raises(SystemExit) as ended:
        main(["grade", "--reference", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_grading_on_a_cluster_that_does_not_answer(home: StateDir, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is pushed, and the message says how to look."""
    program(home.root.parent / "bin", "kubectl", "echo refused >&2; exit 1")
    place.save(home, place.Place(kind=False, kubeconfig="/none", push="127.0.0.1:1", pull="127.0.0.1:1"))
    with pytest.raises(SystemExit) as ended:
        main(["grade", "--reference", "--target", "cluster"])
    assert ended.value.code == 2
    assert "the cluster does not answer" in capsys.readouterr().err


def test_what_is_compared_is_checked_first(home: StateDir, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A day that is none, and a run that is no JSON, before the cluster is asked."""
    run = tmp_path / "run.json"
    run.write_text("not JSON")
    assert "--day: 10 March is no date" in refused(capsys, "compare", "daily-1", str(run), "--day", "10 March")
    assert "this checkout has no cluster" in refused(capsys, "compare", "daily-1", str(run))
    place.save(home, place.Place(kind=False, kubeconfig="none", push="r:1", pull="r:1"))
    assert "is no JSON" in refused(capsys, "compare", "daily-1", str(run))


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        (True, ("--existing", "--registry", "r:1"), "you ask for an existing one"),
        (False, (), "you ask for a kind cluster"),
    ],
)
def test_a_second_cluster_is_refused(
    home: StateDir, capsys: pytest.CaptureFixture[str], kind: bool, words: tuple[str, ...], said: str
) -> None:
    """A checkout has one cluster: the other one comes after `down`."""
    place.save(home, place.Place(kind=kind, kubeconfig="none", push="r:1", pull="r:1"))
    told = refused(capsys, "up", *words)
    assert said in told
    assert "`batchlab cluster down` first" in told
