"""The workloads of a tree, and how its small ones are run here."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from grader.flux.objects import ARGO, SPARK, Rendered, Tree, resource_templates
from pipelines.local.cron.conversion import from_template

PLAY = "hello"
"""Name of the play in which the small workloads run."""
MOST = 6
WORK = "batchlab/work"
OFFICIAL = ("spark", "apache/spark")
SPARK_HOME = "/opt/spark/"
"""Where the official image has Spark."""
_HOST = re.compile(r"^(?:[^/]*[.:][^/]*|localhost)/(?:library/)?")
_IMAGE = re.compile(r"""(^\s*(?:- )?image:\s*)["']?([^\s"']+)["']?""", re.MULTILINE)
_TAG = re.compile(r"(?::[^/:@]+)?(?:@.*)?$")


@dataclass(frozen=True, kw_only=True)
class Hello:
    """A small workload of the tree, as a Workflow that can be run here.

    Args:
        of: the object in the tree.
        manifest: the Workflow; its name is the run's.
        templates: WorkflowTemplates of the tree, by name.
        objects: ConfigMaps and Secrets of the tree in the same namespace.
    """

    of: Rendered
    manifest: Mapping[str, Any]
    templates: Mapping[str, Mapping[str, Any]]
    objects: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest["metadata"]["name"])


def hello_workflows(tree: Tree, *, image: str = WORK, spark_home: str = SPARK_HOME) -> list[Hello]:
    """Give the workloads of a tree that run by themselves: its SparkApplications and its Workflows.

    A SparkApplication becomes a workflow of one step that creates it and waits for its end. Where the tree has no
    Workflow, its WorkflowTemplates that need no arguments are taken. At most three of a kind are given, the first
    ones in the order in which Flux applies them.

    Args:
        tree: the rendered tree.
        image: stands for every image of the repository `batchlab/work`, whose tags name code that is not here, and
            for the official Spark image.
        spark_home: this machine's folder with what the official image has in `/opt/spark`.
    """
    applications = tree.of(SPARK, "SparkApplication")[: MOST // 2]
    workflows = (tree.of(ARGO, "Workflow") or _independent(tree))[: MOST // 2]
    templates = {each.name: each.body for each in tree.of(ARGO, "WorkflowTemplate")}
    made = [(each, _application(each, image, spark_home)) for each in applications]
    made += [(each, _workflow(each, image)) for each in workflows]
    return [
        Hello(of=each, manifest=manifest, templates=templates, objects=_settings(tree, each.namespace))
        for each, manifest in made
    ]


def _independent(tree: Tree) -> list[Rendered]:
    """Give the WorkflowTemplates whose every argument has a value."""
    found = []
    for each in tree.of(ARGO, "WorkflowTemplate"):
        given = ((each.spec.get("arguments") or {}).get("parameters")) or []
        if each.spec.get("entrypoint") and all(one.keys() & {"value", "valueFrom", "default"} for one in given):
            found.append(each)
    return found


def _settings(tree: Tree, namespace: str) -> list[Mapping[str, Any]]:
    return [each.body for each in tree.objects if each.kind in ("ConfigMap", "Secret") and each.namespace == namespace]


def _application(each: Rendered, image: str, spark_home: str) -> dict[str, Any]:
    body = _here(copy.deepcopy(dict(each.body)), image)
    metadata = body.get("metadata") or {}
    body["metadata"] = {key: metadata[key] for key in ("name", "labels") if key in metadata}
    main = str(body["spec"].get("mainApplicationFile") or "")
    body["spec"]["mainApplicationFile"] = main.replace(f"local://{SPARK_HOME}", f"local://{spark_home}")
    resource = {
        "action": "create",
        "manifest": json.dumps(body),
        "successCondition": "status.applicationState.state == COMPLETED",
        "failureCondition": "status.applicationState.state == FAILED",
    }
    step = {"name": "application", "activeDeadlineSeconds": 600, "resource": resource}
    return _manifest(each, {"entrypoint": "application", "templates": [step]})


def _workflow(each: Rendered, image: str) -> dict[str, Any]:
    if each.kind == "WorkflowTemplate":
        return _manifest(each, from_template(each.body, each.name, {})["spec"])
    found: dict[str, Any] = _here(copy.deepcopy(dict(each.spec)), image)
    return _manifest(each, found)


def _manifest(each: Rendered, spec: Mapping[str, Any]) -> dict[str, Any]:
    short = {"SparkApplication": "application"}.get(each.kind, each.kind.lower())
    return {
        "apiVersion": f"{ARGO}/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": f"{PLAY}-{short}-{each.name}"[:63].rstrip("-.")},
        "spec": dict(spec),
    }


def _here(node: Any, image: str) -> Any:
    """Put this machine's image in place of those that it stands for, in the manifests of resource templates too."""
    if isinstance(node, list):
        return [_here(value, image) for value in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in node.items():
        if key == "image" and isinstance(value, str):
            made[key] = image if _stands(value) else value
        elif key == "manifest" and isinstance(value, str):
            made[key] = _IMAGE.sub(lambda found: f"{found[1]}{image if _stands(found[2]) else found[2]}", value)
        else:
            made[key] = _here(value, image)
    return made


def _stands(image: str) -> bool:
    return repository_of(image) in (WORK, *OFFICIAL)


def repository_of(image: str) -> str:
    """Give an image's name without registry, tag and digest."""
    return _TAG.sub("", _HOST.sub("", image))


def pinned(image: str) -> bool:
    """Tell whether an image has a digest, or a tag that is not `latest`."""
    if "@sha256:" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(tag) and tag != "latest" and "$" not in image


@dataclass(frozen=True, kw_only=True)
class Application:
    """A SparkApplication wherever it is written: an object, a schedule's template, a manifest inside a workflow.

    Args:
        of: the object of the tree.
        where: what it is, for people.
        namespace: where it is created.
        spec: its spec.
    """

    of: Rendered
    where: str
    namespace: str
    spec: Mapping[str, Any]


def applications(tree: Tree) -> Iterator[Application]:
    """Find every SparkApplication that the tree's objects are or make."""
    for each in tree.of(SPARK, "SparkApplication"):
        yield Application(of=each, where=each.title, namespace=each.namespace, spec=each.spec)
    for each in tree.of(SPARK, "ScheduledSparkApplication"):
        template = each.spec.get("template") or {}
        yield Application(of=each, where=each.title, namespace=each.namespace, spec=template)
    for each in tree.of(ARGO, "Workflow", "WorkflowTemplate", "CronWorkflow"):
        spec = each.spec.get("workflowSpec") or {} if each.kind == "CronWorkflow" else each.spec
        for name, resource in resource_templates(spec):
            body = manifest(resource)
            if body.get("kind") == "SparkApplication":
                namespace = str((body.get("metadata") or {}).get("namespace") or each.namespace)
                where = f"{each.title}, template {name}"
                yield Application(of=each, where=where, namespace=namespace, spec=body.get("spec") or {})


def manifest(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Read the manifest of a resource template, its tags in braces taken as text; empty where it is no mapping."""
    try:
        found = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "x", str(resource.get("manifest") or ""), flags=re.DOTALL))
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
