"""The small workloads of a tree become workflows that run here; every application is found wherever it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.flux import hello_workflows, load
from grader.flux.tests.trees import PLAIN, edit, reference, write
from grader.flux.workflows import longest_chain
from grader.flux.workloads import applications, pinned, repository_of
from pipelines.local.engine import Engine
from pipelines.local.manifest import from_text, lint
from pipelines.local.state import StateDir


def test_an_application_becomes_one_step(tmp_path: Path) -> None:
    """The step creates it under its own name, with this machine's image, and waits for the terminal states."""
    found = hello_workflows(load(reference(tmp_path)), image="batchlab/work:abc")
    assert [each.name for each in found] == ["hello-application-hello", "hello-workflow-hello"]
    resource = found[0].manifest["spec"]["templates"][0]["resource"]
    made = json.loads(resource["manifest"])
    assert made["metadata"] == {"name": "hello"}
    assert made["spec"]["image"] == "batchlab/work:abc"
    assert resource["successCondition"] == "status.applicationState.state == COMPLETED"
    assert resource["failureCondition"] == "status.applicationState.state == FAILED"
    assert found[0].of.title == "SparkApplication batch/hello"


def test_the_official_image_is_this_machines_spark(tmp_path: Path) -> None:
    """What the official image has in /opt/spark is PySpark's folder here."""
    (tmp_path / "submission.toml").touch()
    tree = load(write(tmp_path / "flux", PLAIN))
    found = hello_workflows(tree, image="batchlab/work:abc", spark_home="/venv/pyspark/")[0]
    made = json.loads(found.manifest["spec"]["templates"][0]["resource"]["manifest"])
    assert made["spec"]["mainApplicationFile"] == "local:///venv/pyspark/examples/src/main/python/pi.py"
    assert made["spec"]["image"] == "batchlab/work:abc"


def test_a_template_without_arguments_runs_where_there_is_no_workflow(tmp_path: Path) -> None:
    """It is submitted by its name; one that needs arguments is left alone."""
    (tmp_path / "submission.toml").touch()
    folder = write(tmp_path / "flux", PLAIN)
    found = hello_workflows(load(folder))
    assert found[1].manifest["spec"]["workflowTemplateRef"] == {"name": "three"}
    assert set(found[1].templates) == {"three"}
    edit(folder, "jobs/three.yaml", "entrypoint: main", "entrypoint: main\n  arguments: {parameters: [{name: day}]}")
    assert len(hello_workflows(load(folder))) == 1


def test_images_inside_manifests_of_steps(tmp_path: Path) -> None:
    """An image that stands for this machine's is replaced inside a resource template too, others are not."""
    folder = reference(tmp_path)
    step = "\n    - name: job\n      resource:\n        action: create\n        manifest: |\n          image: {}\n"
    text = (folder / "apps/hello/workflow.yaml").read_text()
    (folder / "apps/hello/workflow.yaml").write_text(text + step.format("10.0.0.1:5000/batchlab/work:old"))
    found = hello_workflows(load(folder), image="batchlab/work:new")[1].manifest["spec"]["templates"]
    assert found[-1]["resource"]["manifest"].strip() == "image: batchlab/work:new"
    assert found[1]["script"]["image"] == "docker.io/library/python:3.11-slim"


def test_what_is_made_is_what_the_executor_takes(tmp_path: Path) -> None:
    """The workflows have no problem by the rules of `batchlab lint`."""
    for each in hello_workflows(load(reference(tmp_path)), image="batchlab/work:abc"):
        assert [str(problem) for problem in lint(from_text(json.dumps(each.manifest), "x.json"))] == []


def test_the_references_workflow_runs_three_steps_in_order(tmp_path: Path) -> None:
    """The executor runs it, and each step has what the one before it gave."""
    hello = hello_workflows(load(reference(tmp_path)))[1]
    engine = Engine(StateDir(root=tmp_path / "state"))
    try:
        document = engine.run(hello.manifest).document
    finally:
        engine.close()
    assert document["phase"] == "Succeeded"
    steps = longest_chain(document)
    assert [node["displayName"] for node in steps] == ["measure(0)", "double(0)", "tell(0)"]
    assert [node["outputs"].get("result") for node in steps[:2]] == ["2013", "4026"]


def node(name: str, *children: str, phase: str = "Succeeded", kind: str = "Pod") -> dict[str, Any]:
    """Make a node of a run."""
    return {"id": name, "displayName": name, "type": kind, "phase": phase, "children": list(children)}


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node("a", "b"), node("b", "c"), node("c")], ["a", "b", "c"]),
        ([node("d", "a", "b", "c", kind="DAG"), node("a"), node("b"), node("c")], ["a"]),
        ([node("a", "b"), node("b", "c", phase="Failed"), node("c")], ["a", "c"]),
        ([node("r", "a0", "a1", kind="Retry"), node("a0", phase="Failed"), node("a1", "b"), node("b")], ["a1", "b"]),
        ([node("a", "b"), node("b", "a")], ["a", "b"]),
        ([], []),
    ],
)
def test_a_chain_is_what_waits_for_one_another(nodes: list[dict[str, Any]], expected: list[str]) -> None:
    """Steps side by side, failed attempts and groups do not count; a wrong record does not end in a circle."""
    found = longest_chain({"nodes": {each["id"]: each for each in nodes}})
    assert [each["id"] for each in found] == expected


def test_every_application_is_found(tmp_path: Path) -> None:
    """Objects, schedules and manifests inside workflow templates, with the namespace in which each is created."""
    found = [(each.where, each.namespace) for each in applications(load(reference(tmp_path)))]
    assert found == [
        ("SparkApplication batch/hello", "batch"),
        ("ScheduledSparkApplication batch/hello-daily", "batch"),
        ("WorkflowTemplate batch/ingest, template extract", "batch"),
        ("WorkflowTemplate batch/transform, template curate", "batch"),
        ("WorkflowTemplate batch/transform, template build", "batch"),
    ]


@pytest.mark.parametrize(
    ("image", "name", "exact"),
    [
        ("spark", "spark", False),
        ("spark:latest", "spark", False),
        ("docker.io/library/spark:4.1.4", "spark", True),
        ("localhost:5000/batchlab/work", "batchlab/work", False),
        ("ghcr.io/a/b:1@sha256:0", "a/b", True),
        ("apache/spark@sha256:0", "apache/spark", True),
        ("a/b:${tag}", "a/b", False),
    ],
)
def test_images(image: str, name: str, exact: bool) -> None:
    """Registry, tag and digest are told apart; no tag is `latest`."""
    assert (repository_of(image), pinned(image)) == (name, exact)
