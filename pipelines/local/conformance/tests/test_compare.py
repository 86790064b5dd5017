"""Normalizing and comparing runs."""

from __future__ import annotations

from typing import Any

from pipelines.local.conformance.compare import comparable, differences, normalize


def _document(**changes: Any) -> dict[str, Any]:
    pod = {
        "id": "w-1", "name": "w[0].a", "displayName": "a", "type": "Pod", "phase": "Failed", "boundaryID": "w",
        "message": "main: Error (exit code 3)", "templateName": "say", "startedAt": "2026-11-23T09:00:00Z",
        "inputs": {"parameters": [{"name": "at", "value": "2026-11-23T09:00:00Z"}]},
        "outputs": {"exitCode": "3", "result": "", "parameters": [{"name": "n", "value": 7}]},
    }  # fmt: skip
    root = {"id": "w", "name": "w", "displayName": "w", "type": "Steps", "phase": "Failed", "children": ["w-1"]}
    return {"phase": "Failed", "message": "", "nodes": {"w": root, "w-1": {**pod, **changes}}}


def test_normalize_names_nodes_and_drops_what_differs_between_runs() -> None:
    """Nodes go by name, times are blanked, empty fields vanish, but an empty result stays."""
    run = normalize(_document())
    assert run["nodes"]["w"]["children"] == ["w[0].a"]
    assert run["nodes"]["w[0].a"] == {
        "displayName": "a", "type": "Pod", "phase": "Failed", "message": "main: Error (exit code 3)",
        "templateName": "say", "boundary": "w", "inputs": {"at": "<time>"}, "outputs": {"n": "7"},
        "result": "", "exitCode": "3",
    }  # fmt: skip


def test_normalize_orders_the_list_of_failures() -> None:
    """Argo lists failed nodes in its map's order, which is by chance."""
    first = r'"[{\"podName\":\"b\"},{\"podName\":\"a\"}]"'
    second = r'"[{\"podName\":\"a\"},{\"podName\":\"b\"}]"'
    runs = [
        normalize(_document(inputs={"parameters": [{"name": "failures", "value": value}]})) for value in (first, second)
    ]
    assert runs[0] == runs[1]


def test_differences_name_the_node_and_the_field() -> None:
    """A changed field, a missing node and a new one are a line each."""
    golden, local = normalize(_document()), normalize(_document(phase="Succeeded"))
    local["nodes"]["w[1]"] = {"type": "StepGroup", "phase": "Running"}
    del local["nodes"]["w"]
    assert differences(golden, local) == [
        "node w: missing (expected Steps Failed)",
        'node w[0].a: phase: expected "Failed", got "Succeeded"',
        "node w[1]: not in the recording (got StepGroup Running)",
    ]
    assert differences(golden, golden) == []


def test_comparable_keeps_only_what_a_case_promises() -> None:
    """Random files promise a phase, others may leave out values or accept one message for another."""
    run = normalize(_document())
    assert comparable(run, {"random": ["Failed"]}) == {"phase": "as listed"}
    assert "inputs" not in comparable(run, {"values": True})["nodes"]["w[0].a"]
    other = normalize(_document(message="too late"))
    alike = {"alike": ["too late", "main: Error (exit code 3)"]}
    assert comparable(run, alike) == comparable(other, alike)
