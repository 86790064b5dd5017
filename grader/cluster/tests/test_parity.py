"""Runs are compared by their nodes; names and values of parameters do not count."""

from __future__ import annotations

from typing import Any

from grader.cluster.parity import compare


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
