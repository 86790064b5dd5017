"""The node goes down while a day is ingested, and comes back."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from grader.cluster import lake
from grader.cluster.commands import Kubectl
from grader.cluster.tests.spark import driver, ingest
from grader.cluster.tests.until import until
from grader.cluster.waiting import flux_states, pod_troubles
from grader.cluster.workflows import Workflows, told
from pipelines.local.errors import BadInput

RESTART = "BATCHLAB_RESTART_NODE"
"""Names the command that stops the node's processes and starts them again."""
DAY, FLIGHTS = "2013-03-14", 982
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not os.environ.get(RESTART), reason=f"{RESTART} names no command that restarts the node"),
]


def tables(catalog: Any) -> dict[str, str]:
    """Say where every table stands."""
    names = [name for space in catalog.list_namespaces() for name in catalog.list_tables(space)]
    return {".".join(name): catalog.load_table(name).metadata_location for name in names if name[0] != "raw"}


def test_the_node_restarts(kubectl: Kubectl, workflows: Workflows) -> None:
    """Tables and workflows are those of before, the platform is healthy, and the run that was cut off ends well."""
    with lake.catalog(kubectl) as before:
        stood = tables(before)
    name = ingest(workflows, kubectl, DAY)
    known = {each["metadata"]["name"] for each in kubectl.items("workflows.argoproj.io", "-n", "batch")}
    assert driver(kubectl, name)
    subprocess.run(os.environ[RESTART], shell=True, check=True, timeout=300)

    def answers() -> bool:
        try:
            kubectl.reachable()
        except BadInput:
            return False
        return True

    def healthy() -> bool:
        pods = [each for name in ("argo", "spark-operator", "platform") for each in kubectl.items("pods", "-n", name)]
        states = flux_states(kubectl)
        return bool(states) and all(each.ready for each in states) and not list(pod_troubles(pods))

    until("the API server did not come back", answers)
    until("the platform did not come back", healthy, patience=600)
    done = workflows.follow(name, patience=900)
    assert done["status"]["phase"] == "Succeeded", told(done)
    assert known <= {each["metadata"]["name"] for each in kubectl.items("workflows.argoproj.io", "-n", "batch")}
    with lake.catalog(kubectl) as after:
        assert tables(after) == stood
        found = after.load_table("raw.flights").scan(row_filter=f"flight_date == '{DAY}'").to_arrow()
        assert found.num_rows == FLIGHTS
