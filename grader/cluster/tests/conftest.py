"""The cluster that tests marked `cluster` run on: the one that `batchlab cluster up` made or filled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grader.cluster import lake, place
from grader.cluster.commands import Kubectl
from grader.cluster.tests.daily import fired
from grader.cluster.workflows import Workflows
from pipelines.local.state import StateDir


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Give the cluster of this checkout."""
    found = place.find(StateDir.locate())
    if found is None:
        pytest.skip("this checkout has no cluster: `batchlab cluster up`")
    found.kubectl.reachable()
    return found.kubectl


@pytest.fixture(scope="session")
def workflows(kubectl: Kubectl) -> Workflows:
    """Give its workflows."""
    return Workflows(kubectl=kubectl)


@pytest.fixture(scope="session")
def ran(kubectl: Kubectl, workflows: Workflows) -> dict[str, Any]:
    """Give a day of all pipelines, as its schedule ran it."""
    return fired(kubectl, workflows)


@pytest.fixture
def catalog(kubectl: Kubectl) -> Iterator[Any]:
    """Give the Iceberg catalog, reached from here."""
    with lake.catalog(kubectl) as found:
        yield found
