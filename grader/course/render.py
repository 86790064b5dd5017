"""Write a pipeline's manifests anew from its `workflow.py`, as the learner has changed it."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.submission import Submission
from grader.submission.folder import Pipeline
from pipelines.local.errors import BadInput
from pipelines.local.platform.code import tree_files

WORKFLOW = "workflow.py"
SECONDS = 120
_CHILD = Path(__file__).with_name("rendering.py")


def rendered(submission: Submission, name: str) -> str:
    """Render one pipeline of a submission; returns the text of its manifest, all documents in one.

    Args:
        submission: whose.
        name: `ingest`.

    Raises:
        BadInput: it has no such pipeline or no `workflow.py`, or the code does not run; the message names the line.
    """
    one = _own(submission, name)
    with tempfile.TemporaryDirectory(prefix="batchlab-render-") as scratch:
        root = Path(scratch).resolve()
        for path, source in tree_files(submission.folders()):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        (root / "pipelines" / "__init__.py").touch()
        found = _asked(root, name)
    if "error" in found:
        line = f" line {found['line']}" if found["line"] else ""
        where = str(found["file"]).removeprefix("pipelines/")
        raise BadInput(str(found["error"]), where=f"{where or one.code}{line}", remedy="mend it, then render again")
    texts = [f"# Written by `batchlab render` from {name}/{WORKFLOW}.\n{text}" for text in found["documents"]]
    return "---\n".join(texts)


def difference(submission: Submission, name: str) -> list[str]:
    """Compare a manifest with what its code says; returns lines of a diff without comments, none where they agree."""
    manifest = _own(submission, name).manifest
    there = _bare(manifest.read_text(encoding="utf-8") if manifest.is_file() else "")
    here = _bare(rendered(submission, name))
    return list(
        difflib.unified_diff(there, here, f"{name}/{manifest.name}", f"{name}/{WORKFLOW}, rendered", lineterm="")
    )


def _bare(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def write(submission: Submission, name: str) -> Path:
    """Write a pipeline's manifest anew, as a whole; returns its path.

    Raises:
        BadInput: as `rendered`, or the manifest is a folder of several files.
    """
    path = _own(submission, name).manifest
    if path.is_dir():
        raise BadInput("is a folder of several files", where=str(path), remedy="name one file as the manifest")
    text = rendered(submission, name)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
    return path


def can_be_rendered(submission: Submission) -> list[str]:
    """Name the pipelines that a submission brings with a `workflow.py`."""
    return [
        name for name, one in submission.pipelines.items() if one.own and one.code and (one.code / WORKFLOW).is_file()
    ]


def _own(submission: Submission, name: str) -> Pipeline:
    own = can_be_rendered(submission)
    if name not in own:
        raise BadInput(
            f"the submission has no pipeline {name} with a {WORKFLOW}", where=str(submission.root),
            remedy=f"it has: {', '.join(own) or 'none'}",
        )  # fmt: skip
    return submission.pipelines[name]


def _asked(root: Path, name: str) -> Mapping[str, Any]:
    """Run the code in a process of its own."""
    argv = [sys.executable, "-I", str(_CHILD), str(root), name]
    try:
        done = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
        found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise BadInput(f"did not end within {SECONDS} s", where=f"{name}/{WORKFLOW}") from None
    except (ValueError, IndexError):
        raise BadInput("ended without a word", where=f"{name}/{WORKFLOW}", remedy="does it end the process?") from None
    return found
