"""Whether strangers' code can be kept apart here is tried, and where it cannot, the answer names what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.autograde import can_isolate, kit, machine
from grader.autograde.box import ROOT, Contents, Outcome, run_in_box
from grader.autograde.limits import Limits
from grader.autograde.verdict import grade
from pipelines.local.errors import BadInput

ASK = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom grader.autograde import can_isolate\nprint(can_isolate())"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces are Linux's")


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On macOS, autograding is refused as bad usage is, and the reason is named."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert can_isolate() == "it needs Linux's namespaces, and this is darwin"
    with pytest.raises(BadInput, match="autograding is not possible here: it needs Linux's namespaces"):
        grade(tmp_path, [], target="x:y")


@linux
def test_a_machine_without_user_namespaces_is_refused() -> None:
    """Where no user namespace may be made, the kernel's answer and the remedy are told."""
    limited = ["unshare", "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    done = subprocess.run([*limited, sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    assert "no box can be made on this machine (" in done.stdout, done.stderr
    assert "user.max_user_namespaces" in done.stdout


@linux
def test_a_box_that_does_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the probe can get out of its room, the machine is refused."""
    leaky = Outcome(code=1, result=b"", why="", log="")
    monkeypatch.setattr(machine, "run_in_box", lambda *_, **__: leaky)
    assert str(can_isolate()).startswith("no box can be made on this machine (it does not hold)")


def test_a_kit_that_only_root_can_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a box nobody is root, so a kit that only root may read could not run there."""
    monkeypatch.setattr(kit, "unreadable", lambda: tmp_path / "x")
    monkeypatch.setattr(sys, "platform", "linux")
    assert can_isolate() == f"{tmp_path}/x may be read by root only, and in a box nobody is root: chmod -R o+rX it"


@linux
def test_a_folder_to_build_over_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everything is built from the folders that a box could be built over, that is told."""
    monkeypatch.setattr("grader.autograde.box._AT", (str(ROOT),))
    with pytest.raises(BadInput, match="there is no folder to build a box over"):
        run_in_box(["/bin/true"], contents=Contents(show=[ROOT / "grader"]), limits=Limits())
