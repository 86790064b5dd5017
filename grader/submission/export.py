"""Write a submission as a folder of its own: to read the reference, to start from it, or to change it for a proof."""

from __future__ import annotations

import shutil
from pathlib import Path

from grader.submission.folder import FILE, Submission
from pipelines.local.errors import BadInput

MANIFEST = "workflow.yaml"
_HEAD = "# What this folder brings to be graded; what it leaves out is taken from the reference and scores nothing.\n"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "target", "logs", ".user.yml", ".venv", ".git", ".batchlab")


def export(source: Submission, folder: Path) -> Path:
    """Write everything that a submission brings, with its `submission.toml`.

    Args:
        source: what to write.
        folder: a new or empty folder.

    Raises:
        BadInput: the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput("is not empty: nothing is overwritten", where=str(folder), remedy="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [_HEAD]
    for name, one in source.pipelines.items():
        place = folder / name
        if one.code is not None:
            shutil.copytree(one.code, place, ignore=_LEFT_OUT)
            shutil.rmtree(place / "tests", ignore_errors=True)
        place.mkdir(exist_ok=True)
        (place / MANIFEST).write_text(_manifest(one.manifest), encoding="utf-8")
        code = f'\ncode = "{name}"' if one.code is not None else ""
        lines.append(f'[pipelines.{name}]\nmanifest = "{name}/{MANIFEST}"{code}\n')
    dbt = folder / "transform" / "dbt"
    shutil.rmtree(dbt, ignore_errors=True)
    shutil.copytree(source.dbt, dbt, ignore=_LEFT_OUT)
    lines.append('[dbt]\nproject = "transform/dbt"\n')
    shutil.copytree(source.flux, folder / "flux", ignore=_LEFT_OUT)
    lines.append('[flux]\npath = "flux"\n')
    (folder / FILE).write_text("\n".join(lines), encoding="utf-8")
    return folder


def _manifest(path: Path) -> str:
    """Join the files of a pipeline into one of several documents."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    texts = [file.read_text(encoding="utf-8") for file in files if file.name != "kustomization.yaml"]
    return "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
