"""Make the released labs from their sources.

python tools/labs.py                    write labs/, and nbgrader's sources under course/source/
python tools/labs.py --check            exit 1, and show the difference, where labs/ is not what would be written
python tools/labs.py --solution DIR     write every lab as its solution has it, to look at or to grade
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader.course import labs as declared  # noqa: E402 - works without being installed
from grader.course.render import WORKFLOW, rendered  # noqa: E402
from grader.notebook import cells, percent, release  # noqa: E402
from grader.submission import read  # noqa: E402
from pipelines.local.errors import BadInput  # noqa: E402

LABS = ROOT / "labs"
SOLUTIONS = ROOT / "solutions"
SOURCE = ROOT / "course" / "source"
MANIFEST = "workflow.yaml"
FLUX = ("clusters/local", "infra/controllers", "infra/configs", "apps")
_LEFT_OUT = frozenset({"__pycache__", "target", "logs", ".user.yml"})
_SUBMISSION = "# What you hand in. `batchlab grade --submission .` grades it; what it leaves out is the course's own.\n"


class Lab(declared.Lab):
    """A lab with its text and edits."""

    @property
    def source(self) -> Path:
        """Folder of its text and edits."""
        return SOLUTIONS / self.name

    def cells(self) -> list[percent.Cell]:
        """Read its text."""
        path = self.source / "lab.py"
        return percent.parse(path.read_text(encoding="utf-8"), where=str(path.relative_to(ROOT)))

    def files(self) -> dict[str, str]:
        """Read what learners get besides: files by their paths in the lab's folder."""
        folder = self.source / "files"
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not _LEFT_OUT.intersection(path.parts)
        }

    def edits(self, kind: str) -> list[dict[str, str]]:
        """Read its edits: `start` or `repair`."""
        path = self.source / "edits.toml"
        found: list[dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8")).get(kind, [])
        return found


def labs() -> list[Lab]:
    """Read the labs in their order."""
    return [Lab(**asdict(one)) for one in declared.labs()]


def released(lab: Lab) -> dict[str, str]:
    """Give the files that learners get, by their paths in the lab's folder."""
    notebook = release.released_notebook(lab.cells(), where=f"solutions/{lab.name}/lab.py")
    return {f"{lab.notebook}.ipynb": notebook, **start(lab)}


def source(lab: Lab) -> dict[str, str]:
    """Give the files that nbgrader releases the lab from: the notebook has its solutions, the code is the learners'."""
    return {f"{lab.notebook}.ipynb": release.instructor_notebook(lab.cells()), **start(lab)}


def solution(lab: Lab) -> dict[str, str]:
    """Give the files as a learner hands them in who has done everything right."""
    repaired = changed(start(lab), lab.edits("repair"), lab)
    return {f"{lab.notebook}.ipynb": release.instructor_notebook(lab.cells()), **repaired}


def start(lab: Lab) -> dict[str, str]:
    """Give the learner's copy of pipelines and Flux tree: the reference with the lab's edits."""
    files: dict[str, str] = {}
    lines = [_SUBMISSION]
    for name in lab.pipelines:
        code = ROOT / "pipelines" / name
        for path in sorted(code.rglob("*")):
            parts = path.relative_to(code).parts
            # the kit's own tests of a pipeline are left out, those of its dbt project are part of it
            if path.is_file() and parts[0] != "tests" and not _LEFT_OUT.intersection(parts):
                files["/".join((name, *parts))] = path.read_text(encoding="utf-8")
        manifests = sorted((ROOT / "cluster" / "apps" / name).glob("*.yaml"))
        texts = [path.read_text(encoding="utf-8") for path in manifests if path.name != "kustomization.yaml"]
        files[f"{name}/{MANIFEST}"] = "---\n".join(texts)
        lines.append(f'[pipelines.{name}]\nmanifest = "{name}/{MANIFEST}"\ncode = "{name}"\n')
    if lab.flux:
        files |= {f"flux/{path}": text for path, text in flux_tree().items()}
        lines.append('[flux]\npath = "flux"\n')
    if lab.handed_in:
        files["submission.toml"] = "\n".join(lines)
    return changed(files, lab.edits("start"), lab) | lab.files()


def flux_tree() -> dict[str, str]:
    """Read what Flux applies, by paths in the pushed artifact."""
    folder = ROOT / "cluster"
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for part in FLUX
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def changed(files: Mapping[str, str], edits: Sequence[Mapping[str, str]], lab: Lab) -> dict[str, str]:
    """Edit files, and render the manifests of those pipelines whose `workflow.py` was edited.

    Raises:
        BadInput: an edit does not fit, or the code that it gives does not run.
    """
    made = edited(files, edits, lab.name)
    again = [name for name in lab.pipelines if any(edit["file"] == f"{name}/{WORKFLOW}" for edit in edits)]
    if again:
        with tempfile.TemporaryDirectory(prefix="batchlab-lab-") as folder:
            write(Path(folder) / lab.name, made)
            submission = read(Path(folder) / lab.name)
            made |= {f"{name}/{MANIFEST}": rendered(submission, name) for name in again}
    return made


def edited(files: Mapping[str, str], edits: Iterable[Mapping[str, str]], lab: str) -> dict[str, str]:
    """Replace text in files.

    Raises:
        BadInput: an edit's file is missing, or has its `old` text not exactly once.
    """
    made = dict(files)
    for edit in edits:
        text = made.get(edit["file"], "")
        if (times := text.count(edit["old"])) != 1:
            raise BadInput(
                f"{edit['file']} has {times} times {edit['old']!r}", where=f"solutions/{lab}/edits.toml",
                remedy="the reference has changed: make the edit fit again",
            )  # fmt: skip
        made[edit["file"]] = text.replace(edit["old"], edit["new"])
    return made


def differences(folder: Path = LABS) -> list[str]:
    """Compare with what is on disk; returns lines of a diff, none where all is as it should be."""
    wanted = {f"{lab.name}/{path}": text for lab in labs() for path, text in released(lab).items()}
    lines: list[str] = []
    for path, text in sorted(wanted.items()):
        there = (folder / path).read_text(encoding="utf-8") if (folder / path).is_file() else ""
        lines += difflib.unified_diff(
            there.splitlines(), text.splitlines(), f"{path} (on disk)", f"{path} (made)", lineterm=""
        )
    stray = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.parent != folder
    } - set(wanted)
    return lines + [f"{path}: on disk, but not made" for path in sorted(stray)]


def problems(lab: Lab, known: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a lab's source.

    Args:
        lab: which.
        known: items and checks that there are.
    """
    found = [f"{lab.name}: there is no item {item}" for item in lab.items if item not in known]
    seen: set[str] = set()
    wanted: set[str] = set()
    for cell in lab.cells():
        where = f"{lab.name}/lab.py:{cell.line}"
        nbgrader = cell.nbgrader
        grade_id = nbgrader.get("grade_id")
        if nbgrader and (not grade_id or grade_id in seen):
            found.append(f"{where}: grade_id {grade_id!r} is missing or taken")
        seen.add(str(grade_id))
        if not cell.source.strip():
            found.append(f"{where}: the cell is empty")
        if nbgrader.get("grade") and not nbgrader.get("points", 0) > 0:
            found.append(f"{where}: a graded cell without points")
        if cells.role(cell.kind, nbgrader, cell.source) != "checked":
            continue
        asked = cells.asked(cell.source)
        assert asked is not None
        wanted.add(asked.wanted)
        if asked.points != nbgrader["points"]:
            found.append(f"{where}: check() gives at most {asked.points} points, the cell {nbgrader['points']}")
        if asked.wanted not in known:
            found.append(f"{where}: there is no item or check {asked.wanted}")
    found += [f"{lab.name}: no cell grades {item}" for item in lab.items if item not in wanted]
    return found


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Put files, and nothing else, into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a difference")
    parser.add_argument("--solution", type=Path, metavar="DIR", help="write the solutions there, and nothing else")
    given = parser.parse_args(argv)
    try:
        if given.check:
            found = differences()
            print("\n".join(found))
            return 1 if found else 0
        for lab in labs():
            if given.solution:
                write(given.solution / lab.name, solution(lab))
                continue
            write(LABS / lab.name, released(lab))
            write(SOURCE / lab.name, source(lab))
            print(f"labs/{lab.name}")
    except BadInput as error:
        print(f"labs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
