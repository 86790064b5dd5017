"""What became of a step's process, in Argo's words: phase, message, exit code, outputs."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.engine.nodes import ERROR, FAILED, SUCCEEDED
from pipelines.local.engine.podenv import PodPlace
from pipelines.local.engine.podspec import artifact_key
from pipelines.local.engine.specs import Json

_RESULT_LIMIT = 256 * 1024
_SAVED = "/var/run/argo/outputs"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a pod. `exit_code` is None if its main container never ran to an end."""

    phase: str
    message: str = ""
    exit_code: int | None = None
    outputs: Json | None = None
    finished: float | None = None


def collect(template: Json, place: PodPlace, result: dict[str, Any], *, include_result: bool) -> Outcome:
    """Judge a finished step.

    Args:
        template: the processed template.
        place: where the step's files are.
        result: `exit.json` as the supervisor wrote it.
        include_result: whether standard output becomes `outputs.result`.
    """
    outputs, problems = _outputs(template, place, result.get("found") or [])
    if include_result:
        outputs["result"] = _result(place.folder / "stdout.log")
    code = result["code"]
    phase, message = SUCCEEDED, ""
    if code != 0:
        phase, message = FAILED, _terminated("main", code, result.get("message", ""), result.get("reason", ""))
    elif problems:
        phase, message = ERROR, _terminated("wait", 64, problems[0], "")
    outputs = {key: value for key, value in outputs.items() if value or key == "result"}
    return Outcome(phase=phase, message=message, exit_code=code, outputs=outputs, finished=result.get("finished"))


def _terminated(container: str, code: int, message: str, reason: str) -> str:
    text = f"{container}: {reason or 'Error'} (exit code {code})"
    return f"{text}: {message}" if message else text


def _outputs(template: Json, place: PodPlace, found: list[bool]) -> tuple[Json, list[str]]:
    """Return the outputs, and what Argo's executor complains of: the first missing parameter, all missing artifacts."""
    declared = template.get("outputs") or {}
    saved = iter(found)
    parameters, problems = [], []
    failed = False
    for index, parameter in enumerate(declared.get("parameters") or []):
        source = parameter.get("valueFrom") or {}
        value: str | None = None
        if source.get("path") and not failed:
            there = next(saved, False)
            value = _text(place.folder / "outputs" / str(index)) if there else source.get("default")
            if value is None:
                failed = True
                problems.append(_missing(posixpath.join(_SAVED, "parameters"), source["path"], ""))
        elif source.get("path"):
            next(saved, False)
        parameters.append(parameter if value is None else {**parameter, "value": value.removesuffix("\n")})
    artifacts, lost = [], ""
    for artifact in declared.get("artifacts") or []:
        if not artifact.get("path"):
            continue
        if next(saved, False):
            artifacts.append({**artifact, "s3": {"key": artifact_key(place, artifact["name"])}})
        elif not artifact.get("optional"):
            lost += _missing(posixpath.join(_SAVED, "artifacts"), artifact["path"].removesuffix("/"), ".tgz") + "; "
    if lost:
        problems.append(lost)
    return {"parameters": parameters, "artifacts": artifacts}, problems


def _missing(folder: str, path: str, suffix: str) -> str:
    joined = posixpath.normpath(folder + "/" + path.lstrip("/") + suffix)
    return f"open {joined}: no such file or directory"


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.is_file() else ""


def _result(path: Path) -> str:
    """Return standard output without its last newline; only the last 256 KiB of it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    return data.removesuffix(b"\n")[-_RESULT_LIMIT:].decode(errors="replace")
