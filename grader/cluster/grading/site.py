"""Everything of one cluster that grading works with, reached from here while a `with` block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from grader.cluster.commands import Kubectl
from grader.cluster.credentials import read
from grader.cluster.grading.guard import Guard
from grader.cluster.grading.tunnels import Tunnels, tunnels
from grader.cluster.lake import connect
from grader.cluster.place import Place
from grader.cluster.workflows import Workflows
from grader.data.states import Source
from grader.fingerprint.cache import DigestCache
from grader.fingerprint.lake import Lake
from grader.sample import DEFAULT, Sample
from pipelines.local.state import StateDir


@dataclass(frozen=True, kw_only=True)
class Site:
    """One cluster.

    Args:
        workflows: its workflows.
        ends: its services, on ports of this machine.
        lake: its tables.
        source: its source database.
        guard: keeps what grading must not change.
    """

    workflows: Workflows
    ends: Tunnels
    lake: Lake
    source: Source
    guard: Guard

    @property
    def kubectl(self) -> Kubectl:
        """The cluster."""
        return self.workflows.kubectl


@contextmanager
def site(place: Place, state: StateDir, sample: Sample = DEFAULT) -> Iterator[Site]:
    """Reach a cluster.

    Args:
        place: which.
        state: state directory; digests of files are cached there.
        sample: the graded days, and their late data.

    Raises:
        BadInput: a service of it cannot be reached.
    """
    with tunnels(place.kubectl) as ends:
        login = read(place.kubectl, "platform", "postgres-credentials")
        dsn = ends.dsn("batchlab", login["STEPS_PASSWORD"], "batchlab")
        cache = DigestCache(state.ensure().cache / "cluster-fingerprints.db")
        lake = Lake(catalog=connect(ends.url("catalog"), ends.url("store")), dsn=dsn, cache=cache)
        try:
            yield Site(
                workflows=Workflows(kubectl=place.kubectl), ends=ends, lake=lake,
                source=Source(dsn=dsn, days=sample.days, late_seed=sample.late_seed),
                guard=Guard(
                    dsn=dsn, catalog_dsn=ends.dsn("catalog", login["CATALOG_PASSWORD"], "catalog"), days=sample.days
                ),
            )  # fmt: skip
        finally:
            lake.con.close()
