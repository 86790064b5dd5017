"""The released labs are those that would be made; each is complete, unsolved, and passes when it is solved."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.checks.catalog import CHECKS
from grader.checks.course import items
from grader.notebook.tests.course import BIN, ROOT, labs_tool
from pipelines.local.errors import BadInput

TOOL = labs_tool()
LABS = TOOL.labs()
KNOWN = {**{item.id: item for item in items()}, **{check.id: check for check in CHECKS}}


def test_what_is_on_disk_is_what_would_be_made() -> None:
    """`make labs` would change nothing."""
    assert TOOL.differences() == []


def test_a_difference_and_a_stray_file_are_told(tmp_path: Path) -> None:
    """The check sees an edited notebook, a missing file and one too many."""
    for lab in LABS:
        TOOL.write(tmp_path / lab.name, TOOL.released(lab))
    assert TOOL.differences(tmp_path) == []
    lab = tmp_path / LABS[0].name
    notebook = lab / f"{LABS[0].notebook}.ipynb"
    notebook.write_text(notebook.read_text().replace("YOUR ANSWER HERE", "Because."))
    (lab / "submission.toml").unlink()
    (lab / "old.py").write_text("")
    found = "\n".join(TOOL.differences(tmp_path))
    assert "YOUR ANSWER HERE" in found
    assert "+[pipelines.ingest]" in found
    assert f"{LABS[0].name}/old.py: on disk, but not made" in found


def test_the_front_page_lists_every_lab() -> None:
    """`labs/README.md` names each lab's notebook."""
    front = (ROOT / "labs" / "README.md").read_text()
    for lab in LABS:
        assert f"[{lab.name}]({lab.name}/{lab.notebook}.ipynb)" in front


def test_every_folder_of_solutions_is_a_declared_lab() -> None:
    """Nothing stray: folders and manifest agree, and a folder holds text and edits only."""
    folders = {path.name for path in (ROOT / "solutions").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {lab.name for lab in LABS}
    for lab in LABS:
        there = {path.name for path in lab.source.iterdir()} - {"__pycache__", "files"}
        assert there == {"lab.py", "edits.toml"}


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_lab_is_complete(lab: Any) -> None:
    """Items, checks and points agree, ids are unique, no cell is empty, and a person grades something too."""
    assert TOOL.problems(lab, KNOWN) == []
    roles = [
        cell["metadata"].get("nbgrader", {}) for cell in json.loads(TOOL.source(lab)[f"{lab.notebook}.ipynb"])["cells"]
    ]
    assert any(role.get("grade") and role.get("solution") for role in roles)


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_release_holds_no_solution(lab: Any) -> None:
    """No line of a solution region, of an answer or of a repair is in what learners get."""
    released = "\n".join(TOOL.released(lab).values())
    assert "BEGIN SOLUTION" not in released
    for edit in lab.edits("repair"):
        assert not edit["new"] or edit["new"] not in released
    for cell in lab.cells():
        if not cell.nbgrader.get("solution"):
            continue
        regions = re.findall(r"### BEGIN SOLUTION\n(.*?)\s*### END SOLUTION", cell.source, flags=re.DOTALL)
        for line in "\n".join(regions or [cell.source]).splitlines():
            if not re.search(r"\w", line):  # nothing, or a bracket
                continue
            assert json.dumps(line, ensure_ascii=False)[1:-1] not in released, line


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_table_has_as_many_fields_in_each_line(lab: Any) -> None:
    """A stroke in a field, as in `a || b`, would make a table a paragraph; there it needs a backslash."""
    for cell in [cell for cell in lab.cells() if cell.kind == "markdown"]:
        for table in re.findall(r"(?:^\|.*\n?)+", cell.source, flags=re.MULTILINE):
            fields = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(fields) == 1, table


def test_mistakes_in_a_lab_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong points, an unknown check, a taken id, an empty cell and an item that nothing grades are each named."""
    text = (
        '# %% nbgrader={"grade": true, "grade_id": "a", "points": 3}\ncheck("M03-keys", points=4)\n'
        '# %% nbgrader={"grade": true, "grade_id": "a", "points": 3}\ncheck("M03-none", points=3)\n'
        '# %% nbgrader={"grade": true, "grade_id": "b"}\nassert True\n# %%\n'
    )
    lab = TOOL.Lab(name="99-wrong", title="", items=("M03", "M99"), pipelines=(), notebook="wrong", minutes=1)
    cells = TOOL.percent.parse(text)
    monkeypatch.setattr(TOOL.Lab, "cells", lambda _: cells)
    assert TOOL.problems(lab, KNOWN) == [
        "99-wrong: there is no item M99",
        "99-wrong/lab.py:1: check() gives at most 4.0 points, the cell 3",
        "99-wrong/lab.py:3: grade_id 'a' is missing or taken",
        "99-wrong/lab.py:3: there is no item or check M03-none",
        "99-wrong/lab.py:5: a graded cell without points",
        "99-wrong/lab.py:7: the cell is empty",
        "99-wrong: no cell grades M03",
        "99-wrong: no cell grades M99",
    ]


def test_an_edit_that_no_longer_fits_is_refused() -> None:
    """When the reference moves on, the lab says so instead of releasing half of its edits."""
    files: Mapping[str, str] = {"a.py": "x = 1\nx = 1\n"}
    for old, times in (("y", 0), ("x", 2)):
        with pytest.raises(BadInput, match=rf"a.py has {times} times '{old}'; the reference has changed"):
            TOOL.edited(files, [{"file": "a.py", "old": old, "new": "z"}], "03-x")
    assert TOOL.edited({"a.py": "x"}, [{"file": "a.py", "old": "x", "new": "z"}], "03-x") == {"a.py": "z"}


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_code_that_learners_get_is_valid(lab: Any) -> None:
    """Before and after the repair, every Python file compiles."""
    for files in (TOOL.released(lab), TOOL.solution(lab)):
        for path, text in files.items():
            if path.endswith(".py"):
                compile(text, path, "exec")


def test_the_course_lock_has_hashes_no_addresses_and_the_versions_of_the_first() -> None:
    """Both locks name the same version of a package that both have; every package is checked by hash."""
    locks = [(ROOT / name).read_text() for name in ("requirements.lock", "requirements-course.lock")]
    pins = [dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, flags=re.MULTILINE)) for lock in locks]
    both = set(pins[0]) & set(pins[1])
    assert {name: pins[0][name] for name in both} == {name: pins[1][name] for name in both}
    assert "nbgrader" in set(pins[1]) - set(pins[0])
    assert "://" not in locks[1]
    blocks = re.split(r"\n(?=\S)", locks[1].strip())
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.slow
def test_jupytext_reads_a_source_as_the_kit_does() -> None:
    """Whoever opens a lab's source in Jupyter sees the cells that are released."""
    program = "import json, sys, jupytext; print(json.dumps(jupytext.read(sys.argv[1])))"
    for lab in LABS:
        done = subprocess.run(
            [BIN / "python", "-c", program, lab.source / "lab.py"], capture_output=True, text=True, check=True
        )
        read = [(cell["cell_type"], cell["source"], cell["metadata"]) for cell in json.loads(done.stdout)["cells"]]
        assert read == [(cell.kind, cell.source, dict(cell.metadata)) for cell in lab.cells()]


def test_the_command_checks_and_writes_solutions(tmp_path: Path) -> None:
    """`--check` is silent and 0 where nothing differs; `--solution DIR` writes what passes."""
    script = [sys.executable, str(ROOT / "tools" / "labs.py")]
    done = subprocess.run([*script, "--check"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "")
    subprocess.run([*script, "--solution", str(tmp_path)], check=True, cwd=tmp_path)
    for lab in LABS:
        assert (tmp_path / lab.name / "submission.toml").is_file() == lab.handed_in
