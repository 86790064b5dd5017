"""Set-up: nothing to do the second time, and a reason when it cannot go on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "tools" / "setup.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout whose set-up was done."""
    kit = tmp_path / "a kit"
    (kit / "tools").mkdir(parents=True)
    shutil.copy(SETUP, kit / "tools")
    (kit / "requirements.lock").write_text("")
    (kit / "pyproject.toml").write_text("")
    (kit / ".venv" / "bin").mkdir(parents=True)
    (kit / ".venv" / "bin" / "python").symlink_to(sys.executable)
    program = "import setup; open(setup.STAMP, 'w').write(setup.fingerprint())"
    subprocess.run([sys.executable, "-c", program], cwd=kit / "tools", check=True)
    return kit


def check(kit: Path) -> int:
    """Ask whether the environment is current: 0 yes, 1 no."""
    return subprocess.run([sys.executable, kit / "tools" / "setup.py", "--check"], check=False).returncode


def test_the_second_time_there_is_nothing_to_do(checkout: Path) -> None:
    """With unchanged inputs, set-up starts nothing and says nothing."""
    assert check(checkout) == 0
    done = subprocess.run(
        [sys.executable, checkout / "tools" / "setup.py"], env={"PATH": ""}, capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("change", ["requirements.lock", "pyproject.toml", "pipelines/local/lang/go/main.go"])
def test_a_changed_input_makes_it_run_again(checkout: Path, change: str) -> None:
    """The lock file, the project's file and the helper's sources each count."""
    (checkout / change).parent.mkdir(parents=True, exist_ok=True)
    (checkout / change).write_text("changed")
    assert check(checkout) == 1


def test_a_moved_environment_is_made_anew(checkout: Path) -> None:
    """An environment holds absolute paths, so a moved checkout needs another."""
    moved = checkout.with_name("moved")
    checkout.rename(moved)
    assert check(moved) == 1


def test_the_environment_of_notebooks_is_asked_for(checkout: Path) -> None:
    """Without `--with course` nobody gets it or waits for it; with it, both environments must be current."""
    command = [sys.executable, checkout / "tools" / "setup.py", "--check", "--with", "course"]
    assert subprocess.run(command, check=False).returncode == 1
    (checkout / ".venv-course" / "bin").mkdir(parents=True)
    (checkout / ".venv-course" / "bin" / "python").symlink_to(sys.executable)
    program = "import setup; setup.write_stamp(*setup.environment('course'))"
    subprocess.run([sys.executable, "-c", program], cwd=checkout / "tools", check=True)
    assert subprocess.run(command, check=False).returncode == 0
    (checkout / "requirements-course.lock").write_text("changed")
    assert subprocess.run(command, check=False).returncode == 1
    assert check(checkout) == 0


def test_an_option_that_there_is_not_is_refused(checkout: Path) -> None:
    """A misspelt option sets nothing up, and the message names the options."""
    command = [sys.executable, checkout / "tools" / "setup.py", "--with", "spark"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--with course" in done.stderr


def test_every_verb_sets_up_first() -> None:
    """No verb that needs the environment works without it: each names `setup` before itself, or a verb that does."""
    makefile = (ROOT / "Makefile").read_text()
    rules = [line for line in makefile.splitlines() if "## " in line and line[0].isalpha()]
    needs = {line.split(":")[0]: line.split(":")[1].split("##")[0].split() for line in rules}
    for verb, before in needs.items():
        assert verb in ("help", "setup", "clean") or {"setup", "lint", "course"} & set(before), verb
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
