"""Which node a run failed of, and what it said."""

from __future__ import annotations

import re

from grader.checks.duplicates import FAILED
from grader.checks.probe import Probe, Run

_SAID = re.compile(r"^(?:error: .*|[\w.]+(?:Error|Exception|Violation)\b.*)$", re.MULTILINE)


def blame(probe: Probe, run: Run) -> str:
    """Say which node a run failed of: the leaf that failed, with its message and what its log says."""
    failed = [node for node in run.nodes if node.get("phase") in FAILED]
    leaves = [node for node in failed if node.get("type") == "Pod"] or failed
    if not leaves:
        return str(run.document.get("message") or "no node says why")
    node = leaves[0]
    said = _SAID.findall(probe.log(run.name, str(node.get("id"))))
    why = f" ({said[-1]})" if said else ""
    return f"{node.get('displayName') or node.get('name')}: {node.get('message') or node.get('phase')}{why}"
