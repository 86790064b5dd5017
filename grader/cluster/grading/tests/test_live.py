"""Live objects as the checks see them."""

from __future__ import annotations

from grader.cluster.grading.live import document_of, plain, pod_name


def test_a_live_object_is_its_manifest() -> None:
    """What the API server and Flux's tools add is left out."""
    live = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": "ingest", "namespace": "batch", "uid": "1", "managedFields": [{}], "resourceVersion": "7",
            "labels": {"app.kubernetes.io/part-of": "batchlab", "kustomize.toolkit.fluxcd.io/name": "apps"},
            "annotations": {"workflows.argoproj.io/title": "T", "kubectl.kubernetes.io/last-applied-configuration": ""},
        },
        "spec": {"entrypoint": "main"},
    }  # fmt: skip
    assert plain(live) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": "ingest",
            "labels": {"app.kubernetes.io/part-of": "batchlab"},
            "annotations": {"workflows.argoproj.io/title": "T"},
        },
        "spec": {"entrypoint": "main"},
    }


def test_a_run_says_who_it_is() -> None:
    """Parents of lineage events are derived from its uid; its template is what it was started from."""
    workflow = {
        "metadata": {"name": "ingest-1", "uid": "u"},
        "spec": {"workflowTemplateRef": {"name": "ingest"}},
        "status": {"phase": "Succeeded", "nodes": {"n": {"id": "n"}}},
    }
    found = document_of(workflow)
    assert (found["name"], found["uid"], found["template"], found["phase"]) == ("ingest-1", "u", "ingest", "Succeeded")


def test_pods_are_named_as_argo_names_them() -> None:
    """Workflow, template, and the hash of the node's id; a workflow of one pod has its own name."""
    run = {"name": "hello"}
    node = {"id": "hello-2452001788", "templateName": "python"}
    assert pod_name(run, node) == "hello-python-2452001788"
    referred = {"id": "hello-12", "templateName": "x", "templateRef": {"name": "lib", "template": "extract"}}
    assert pod_name(run, referred) == "hello-extract-12"
    assert pod_name(run, {"id": "hello", "templateName": "python"}) == "hello"
