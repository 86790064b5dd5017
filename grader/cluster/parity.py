"""One run on a cluster and one here, of the same template: do they have the same nodes?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.local.conformance.compare import comparable, differences, normalize

_NAME = "<workflow>"


def compare(cluster: Mapping[str, Any], local: Mapping[str, Any]) -> list[str]:
    """Say where two runs differ: nodes, types, phases, messages, children. Values differ by nature: they are addresses.

    Args:
        cluster: a Workflow as Kubernetes gives it.
        local: the document of `batchlab run --json`.

    Returns:
        a line for each difference; none where the runs agree.
    """
    here = {"name": cluster["metadata"]["name"], **(cluster.get("status") or {})}
    return differences(_neutral(here), _neutral(local))


def _neutral(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the comparable part of a run, without its own name."""
    normal = comparable(normalize(document), {"values": True})
    normal.pop("outputs", None)
    renamed: dict[str, Any] = json.loads(json.dumps(normal).replace(str(document["name"]), _NAME))
    return renamed
