"""dbt's artifacts of a run on a cluster: its pod is gone, so its own log and its project say what it did."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.local.errors import BadInput

_LINE = re.compile(
    r"^\S+ +\d+ of \d+ (?P<what>OK|PASS|WARN|FAIL|ERROR|SKIP|NO-OP)\b(?P<rest>.*?)[ .]*\[(?P<end>[A-Z][^\]]*)\]\s*$",
    re.MULTILINE,
)
_STATUS = {
    "OK": "success", "PASS": "pass", "WARN": "warn", "FAIL": "fail", "ERROR": "error", "SKIP": "skipped",
    "NO-OP": "no-op",
}  # fmt: skip
_PATIENCE = 180


def parse(project: Path, ds: date, folder: Path) -> Path:
    """Have dbt parse a project; returns the `manifest.json`, which names its nodes.

    Raises:
        BadInput: dbt cannot parse it.
    """
    words = [
        str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "--no-send-anonymous-usage-stats",
        "--no-version-check", "--log-level-file=none", "parse", f"--project-dir={project}",
        f"--profiles-dir={project}", f"--target-path={folder / 'target'}", f"--log-path={folder / 'logs'}",
        f"--vars={json.dumps({'ds': str(ds)})}",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE, cwd=folder)
    made = folder / "target" / "manifest.json"
    if done.returncode != 0 or not made.is_file():
        said = [line for line in (done.stdout or done.stderr).splitlines() if line.strip()]
        raise BadInput(f"dbt cannot parse it: {' / '.join(said[-3:])[-400:]}", where=str(project))
    return made


def results(log: str, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read from dbt's log what became of each node; nodes that the project does not have are left out.

    Args:
        log: what the step printed.
        manifest: the project's, parsed.

    Returns:
        `unique_id`, `status` and `message` of each node, in the order in which they ended.
    """
    names = dict(_names(manifest))
    found = []
    for line in _LINE.finditer(log):
        words = line["rest"].strip(" .").split()
        ident = next((names[word] for word in reversed(words) if word in names), None)
        if ident is not None:
            found.append({"unique_id": ident, "status": _STATUS[line["what"]], "message": line["end"]})
    return found


def _names(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every way in which dbt's log may name a node, and the node's id."""
    for ident, node in manifest["nodes"].items():
        alias, schema = str(node.get("alias") or node["name"]), str(node.get("schema") or "")
        for name in (node["name"], alias, f"{schema}.{alias}"):
            yield str(name), str(ident)
