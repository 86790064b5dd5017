"""Runs are compared by their nodes; names and values of parameters do not count."""

from __future__ import annotations

from typing import Any

from grader.cluster.parity import compare, compare_tables
from grader.fingerprint.digest import Digest, Fingerprint


def nodes(name: str, **phases: str) -> dict[str, Any]:
    """Make the nodes of a DAG with a task for each phase."""
    found: dict[str, Any] = {
        name: {
            "id": name, "name": name, "displayName": name, "type": "DAG", "phase": "Succeeded",
            "templateName": "main", "children": [f"{name}-{task}" for task in phases],
        }
    }  # fmt: skip
    for task, phase in phases.items():
        found[f"{name}-{task}"] = {
            "id": f"{name}-{task}", "name": f"{name}.{task}", "displayName": task, "type": "Pod", "phase": phase,
            "templateName": task, "boundaryID": name, "inputs": {"parameters": [{"name": "uri", "value": name}]},
        }  # fmt: skip
    return found


def test_the_same_template_gives_the_same_nodes() -> None:
    """Different names of the runs and values of parameters are no difference; a phase, and a missing node, are."""
    cluster = {
        "metadata": {"name": "daily-x7"},
        "status": {"phase": "Succeeded", "nodes": nodes("daily-x7", a="Succeeded")},
    }
    local = {"name": "daily-1", "phase": "Succeeded", "nodes": nodes("daily-1", a="Succeeded")}
    assert compare(cluster, local) == []
    local["nodes"] = nodes("daily-1", a="Failed")
    assert compare(cluster, local) == ['node <workflow>.a: phase: expected "Succeeded", got "Failed"']
    local["nodes"] = nodes("daily-1")
    assert "node <workflow>.a: missing (expected Pod Succeeded)" in compare(cluster, local)


class Tables:
    """A lake with some tables, each with one day."""

    def __init__(self, **held: Digest) -> None:
        self.held = {name.replace("__", "."): digest for name, digest in held.items()}

    def tables(self) -> list[str]:
        """Name them."""
        return list(self.held)

    def fingerprint(self, name: str) -> Fingerprint:
        """Give the day's digest."""
        return Fingerprint(table=name, snapshot=None, partitions={"flight_date=2013-03-10": self.held[name]})


def test_tables_are_compared_by_what_they_hold_of_a_day() -> None:
    """Other rows, and a table that one side lacks, are differences; another day, no rows and the source are none."""
    same = Digest(rows=2, low=5, high=7)
    cluster: Any = Tables(lake__raw__flights=same, lake__raw__empty=Digest(), ops__flights=same)
    local: Any = Tables(lake__raw__flights=same, ops__flights=Digest(rows=9, low=1, high=1))
    assert compare_tables(cluster, local, "2013-03-10") == []
    local.held["lake.raw.flights"] = Digest(rows=2, low=6, high=7)
    (line,) = compare_tables(cluster, local, "2013-03-10")
    assert line.startswith("lake.raw.flights 2013-03-10: 2 rows on the cluster, 2 here, fingerprints ")
    assert compare_tables(cluster, local, "2013-03-11") == []
    (line,) = compare_tables(cluster, Tables(), "2013-03-10")  # type: ignore[arg-type]
    assert line.startswith("lake.raw.flights 2013-03-10: 2 rows on the cluster, 0 here, fingerprints ")
