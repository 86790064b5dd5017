"""One run on a cluster and one here, of the same template: have they the same nodes, and left they the same rows?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grader.fingerprint.lake import PARTITION, Lake
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


def compare_tables(cluster: Lake, local: Lake, day: str) -> list[str]:
    """Say where the lakes' tables, and the reports, differ in what they hold of a day: content, not files.

    Args:
        cluster: the tables of the cluster.
        local: the tables of the embedded platform.
        day: a partition, `2013-03-10`.

    Returns:
        a line for each difference; none where both hold the same rows.
    """
    there, here = _held(cluster, day), _held(local, day)
    found = []
    for name in sorted({*there, *here}):
        ours, theirs = here.get(name, (0, "nothing")), there.get(name, (0, "nothing"))
        if ours != theirs:
            found.append(
                f"{name} {day}: {theirs[0]} rows on the cluster, {ours[0]} here, fingerprints {theirs[1]} and {ours[1]}"
            )
    return found


def _held(lake: Lake, day: str) -> dict[str, tuple[int, str]]:
    """Give rows and digest of a day by table, of those that hold any."""
    found = {}
    for name in lake.tables():
        if not name.startswith(("lake.", "reporting.")):
            continue  # the source is what was loaded, not what a pipeline made
        partition = lake.fingerprint(name).partitions.get(f"{PARTITION}={day}")
        if partition is not None and partition.rows:
            found[name] = (partition.rows, partition.hash)
    return found


def _neutral(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the comparable part of a run, without its own name."""
    normal = comparable(normalize(document), {"values": True})
    normal.pop("outputs", None)
    renamed: dict[str, Any] = json.loads(json.dumps(normal).replace(str(document["name"]), _NAME))
    return renamed
