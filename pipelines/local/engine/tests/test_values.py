"""Names, durations, numbers and merging."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.local.engine import durations, gojson, ids, specs
from pipelines.local.engine.depends import Dependencies
from pipelines.local.engine.execute import task_name
from pipelines.local.engine.podenv import expand
from pipelines.local.engine.submit import Request, document
from pipelines.local.engine.tests.conftest import BEGIN
from pipelines.local.errors import BadInput


def test_node_ids_are_those_of_argo() -> None:
    """A node's id is the workflow's name and the FNV-1a hash of the node's name; the root's is the bare name."""
    assert ids.node_id("deadline-workflow", "deadline-workflow[0].slow") == "deadline-workflow-1596418600"
    assert ids.node_id("w", "w") == "w"
    assert ids.pod_name("w", "w", "t") == "w"
    assert ids.pod_name("w", "w.a", "t").startswith("w-t-")


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("1h30m", 5400), ("1.5s", 1.5), ("200ms", 0.2), ("-2m", -120), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    """A bare number is seconds, anything else a Go duration."""
    assert durations.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5 s", "1d", "x", "1.2.3s"])
def test_wrong_durations(text: str) -> None:
    """What Go refuses is refused, with the text quoted."""
    with pytest.raises(ValueError, match="unable to parse"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0 seconds"), (1, "1 second"), (10, "10 seconds"), (90, "1 minute 30 seconds"), (7260, "2 hours 1 minutes")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    """Backoff messages show at most two units."""
    assert durations.humanize(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), (5.0, "5"), (3.10, "3.1"), (True, "true"), (1e21, "1" + "0" * 21), ("x", "x")]
)
def test_scalars_become_texts(value: object, text: str) -> None:
    """Parameter values pass through a 64-bit float, as in Argo."""
    assert gojson.any_string(value) == text


def test_json_as_go_writes_it() -> None:
    """HTML is escaped, keys are sorted, numbers of generic values are floats."""
    assert gojson.marshal({"b": "<&>", "a": 1}) == '{"a":1,"b":"\\u003c\\u0026\\u003e"}'
    assert gojson.remarshal('[1.0, {"b": 10000000, "a": [2.50]}]') == '[1,{"a":[2.5],"b":10000000}]'
    assert gojson.squeeze('{ "a b" : 1.0 }') == '{"a b":1.0}'


def test_manifests_take_the_form_of_the_structs() -> None:
    """Nulls vanish and parameter values become texts, items of loops stay as they are."""
    given = {"parameters": [{"name": "p", "value": 5, "enum": [1, True]}], "x": None, "withItems": [1, None]}
    assert gojson.normalize(given) == {
        "parameters": [{"name": "p", "value": "5", "enum": ["1", "true"]}],
        "withItems": [1, None],
    }


def test_merging_keeps_the_order_of_kubernetes() -> None:
    """Lists with a merge key are merged by it, in the base's order around what only the override has."""
    base = {"parameters": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "args": ["x"]}
    override = {"parameters": [{"name": "b", "value": "3"}, {"name": "c"}], "args": ["y"]}
    merged = specs.merge(base, override)
    assert merged["args"] == ["y"]
    assert merged["parameters"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "3"}, {"name": "c"}]


def test_dependencies_expand() -> None:
    """A bare task stands for three results, continueOn for one more; leaves are what nobody waits for."""
    tasks: list[dict[str, Any]] = [
        {"name": "a", "continueOn": {"failed": True}},
        {"name": "b"},
        {"name": "c", "depends": "a && b.Failed"},
    ]
    found = Dependencies(tasks)
    assert found.logic["c"] == "(a.Succeeded || a.Skipped || a.Daemoned || a.Failed) && b.Failed"
    assert found.names["c"] == ["a", "b"]
    assert found.leaves() == ["c"]
    assert found.ancestors("c") == ["a", "b"]


@pytest.mark.parametrize(("name", "task"), [("w[0].fan(0:1)(0)", "fan"), ("w.a.b", "b"), ("w.a(0:k:v,l:w)", "a")])
def test_task_of_a_node(name: str, task: str) -> None:
    """Loop items and attempts are no part of a task's name."""
    assert task_name(name) == task


def test_kubelet_expansion() -> None:
    """`$(NAME)` is expanded if it is known, `$$` is one dollar."""
    env = {"A": "x"}
    assert expand("$(A) $(B) $$(A) $$ $5 $", env) == "x $(B) $(A) $ $5 $"


@pytest.mark.parametrize("name", ["Upper", "under_score", "x" * 64, "-a"])
def test_names_that_kubernetes_refuses(name: str) -> None:
    """A workflow's name is a lowercase subdomain of at most 63 characters."""
    spec = {"entrypoint": "t", "templates": [{"name": "t", "suspend": {}}]}
    with pytest.raises(BadInput):
        document(Request(workflow={"kind": "Workflow", "metadata": {"name": name}, "spec": spec}), BEGIN)


def test_generated_names_are_cut() -> None:
    """A long generateName is cut so that the name has at most 63 characters."""
    spec = {"entrypoint": "t", "templates": [{"name": "t", "suspend": {}}]}
    made = document(Request(workflow={"metadata": {"generateName": "x" * 80}, "spec": spec}), BEGIN)
    assert len(made["metadata"]["name"]) == 63
