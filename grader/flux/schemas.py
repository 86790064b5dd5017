"""Objects against the schemas of Flux 2.9, Kubernetes 1.34, Argo Workflows and the Spark Operator.

The schemas are those of the CRDs and of the API server; schemas.json is made of them (`grader.flux.generate`). Argo's
and the operator's are the ones that the executor reads manifests by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, best_match

from grader.flux.objects import ARGO, SPARK, Rendered, Tree
from pipelines.local.manifest.documents import KINDS
from pipelines.local.manifest.strict import Strict

FILE = Path(__file__).parent / "schemas.json"
_COMPLETE = frozenset(
    {
        "", "apiextensions.k8s.io", "apps", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
        "scheduling.k8s.io", "storage.k8s.io", "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io",
        "source.toolkit.fluxcd.io", ARGO, SPARK,
    }
)  # fmt: skip
"""API groups of which a version that is in no table is one that no server knows."""
_KEPT = (
    "Event",
    "Endpoints",
    "Node",
    "PersistentVolume",
    "PodTemplate",
    "ReplicationController",
    "WorkflowEventBinding",
)
"""Kinds of those groups that a server knows and no schema is kept of."""
_CLUSTER = ("ClusterWorkflowTemplate",)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with one field of an object."""

    object: Rendered
    path: str
    message: str

    @property
    def where(self) -> str:
        """File and line."""
        return self.object.at(self.path)


def problems(tree: Tree) -> list[Problem]:
    """Find everything that the API server would refuse."""
    return [each for one in tree.objects for each in _of(one)]


def unknown(tree: Tree) -> list[Rendered]:
    """Give the objects of whose kind no schema is known, and that a CRD outside of the tree may define."""
    return [each for each in tree.objects if not _known(each) and each.group not in _COMPLETE]


def namespaced(each: Rendered) -> bool | None:
    """Tell whether an object lives in a namespace; None where its kind is not known."""
    if each.group in (ARGO, SPARK):
        return each.kind not in _CLUSTER
    entry = _content()["kinds"].get(_key(each))
    return None if entry is None else bool(entry["namespaced"])


def _of(each: Rendered) -> Iterator[Problem]:
    if not isinstance(each.body.get("apiVersion"), str) or not each.kind:
        yield Problem(object=each, path="", message="has no apiVersion or no kind")
        return
    if not _known(each):
        if each.group in _COMPLETE and each.kind not in _KEPT:
            yield Problem(object=each, path="apiVersion", message=_strange(each))
        return
    if not each.name:
        yield Problem(object=each, path="metadata", message="has no name: Flux applies objects by name")
    if each.group in (ARGO, SPARK):
        found = Strict(required=each.group == SPARK).check(each.body, each.kind, answered=False)
        yield from (Problem(object=each, path=one.path, message=one.message) for one in found if one.kind != "notice")
        return
    for error in _validator(_key(each)).iter_errors(_without_nulls(each.body)):
        yield _problem(each, error)


def _known(each: Rendered) -> bool:
    return KINDS.get(each.kind) == each.body.get("apiVersion") or _key(each) in _content()["kinds"]


def _key(each: Rendered) -> str:
    return f"{each.body.get('apiVersion')} {each.kind}"


def _strange(each: Rendered) -> str:
    known = [*_content()["kinds"], *(f"{version} {kind}" for kind, version in KINDS.items())]
    same = [key.partition(" ")[0] for key in known if key.endswith(f" {each.kind}")]
    hint = f"; {each.kind} is of {', '.join(same)}" if same else ""
    return f"there is no {each.kind} of {each.body.get('apiVersion')}{hint}"


def _problem(each: Rendered, error: ValidationError) -> Problem:
    """Say it in one sentence: the CRD's own words for its rules, else the nearest cause of an alternative."""
    schema: Any = error.schema
    path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error.absolute_path).lstrip(".")
    rule = schema.get("message") if isinstance(schema, dict) else None
    if error.validator == "additionalProperties":
        instance: Any = error.instance
        extra = sorted(set(instance) - set(schema.get("properties", ())))
        return Problem(
            object=each, path=f"{path}.{extra[0]}".lstrip("."), message=f"unknown field{'s' * bool(extra[1:])} "
            f"{', '.join(extra)}",
        )  # fmt: skip
    if rule:
        return Problem(object=each, path=path, message=str(rule))
    cause = best_match([error]) if error.context else error
    return Problem(object=each, path=path, message=(cause or error).message[:300])


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


@cache
def _validator(key: str) -> Draft7Validator:
    content = _content()
    schema = {**_strict(content["kinds"][key]["schema"]), "definitions": _definitions()}
    return Draft7Validator(schema if "$ref" not in schema else {"allOf": [schema], "definitions": _definitions()})


@cache
def _definitions() -> dict[str, Any]:
    return {name: _strict(each) for name, each in _content()["definitions"].items()}


def _strict(schema: Any) -> Any:
    """Refuse fields that the API server does not know; it would drop them, and Flux's apply fails over them."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        key: {name: _strict(each) for name, each in value.items()} if key == "properties" else _strict(value)
        for key, value in schema.items()
    }
    free = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and "properties" in schema and not free:
        made["additionalProperties"] = False
    return made


def _without_nulls(node: Any) -> Any:
    """Leave out nulls, which the API server takes for fields that are not there."""
    if isinstance(node, Mapping):
        return {key: _without_nulls(value) for key, value in node.items() if value is not None}
    return [_without_nulls(each) for each in node] if isinstance(node, list) else node
