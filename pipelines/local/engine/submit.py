"""From a manifest to a run: names, arguments, the merged spec, and what can be refused before any step."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.local.engine.clock import show_time
from pipelines.local.engine.globals import SCHEDULED_TIME
from pipelines.local.engine.gojson import any_string, normalize
from pipelines.local.engine.ids import new_uid, random_suffix
from pipelines.local.engine.specs import Json, by_name, join
from pipelines.local.errors import BadInput

_MAX_NAME = 63
_MAX_BASE = 58  # Kubernetes cuts generateName so that the name stays a label
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to run and how it is asked for."""

    workflow: Mapping[str, Any]
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    entrypoint: str | None = None
    name: str | None = None
    scheduled_time: datetime | str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    objects: Iterable[Mapping[str, Any]] = ()


def document(request: Request, now: datetime) -> Json:
    """Return the document of a new run: `metadata`, `spec` (merged), `library` (templates), `objects`, `created`.

    Raises:
        BadInput: something needed is missing.
    """
    workflow = normalize(copy.deepcopy(dict(request.workflow)))
    library = {name: normalize(dict(template)) for name, template in request.templates.items()}
    if workflow.get("kind") == "WorkflowTemplate":
        library.setdefault(workflow["metadata"]["name"], workflow)
        workflow = from_template(workflow)
    metadata = _metadata(workflow.get("metadata") or {}, request)
    own = workflow.get("spec") or {}
    _give(own, request)
    spec = _merged(own, library)
    _check(metadata, spec)
    return {
        "metadata": metadata,
        "spec": spec,
        "library": library,
        "objects": [dict(item) for item in request.objects],
        "created": show_time(now),
        "templateRef": own.get("workflowTemplateRef"),
    }


def from_template(template: Mapping[str, Any]) -> Json:
    """Return a workflow that runs a WorkflowTemplate, as `argo submit --from` makes it."""
    name = template["metadata"]["name"]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{name}-", "labels": {"workflows.argoproj.io/workflow-template": name}},
        "spec": {"workflowTemplateRef": {"name": name}},
    }


def _metadata(given: Json, request: Request) -> Json:
    name = request.name or given.get("name") or ""
    if not name and "generateName" in given:
        name = given["generateName"][:_MAX_BASE] + random_suffix()
    if not name:
        raise BadInput("the workflow has neither metadata.name nor metadata.generateName")
    if len(name) > _MAX_NAME:
        raise BadInput(
            f'workflow name "{name}" must not be more than {_MAX_NAME} characters long (currently {len(name)})'
        )
    if not _NAME.fullmatch(name):
        raise BadInput(
            f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        )
    annotations = dict(given.get("annotations") or {})
    if request.scheduled_time is not None:
        time = request.scheduled_time
        annotations[SCHEDULED_TIME] = time if isinstance(time, str) else time.isoformat().replace("+00:00", "Z")
    return {
        **{key: value for key, value in given.items() if key != "generateName"},
        "name": name,
        "namespace": given.get("namespace") or "default",
        "uid": new_uid(),
        "labels": {**(given.get("labels") or {}), **request.labels},
        "annotations": annotations,
    }


def _give(spec: Json, request: Request) -> None:
    """Put parameters and entrypoint from the command line into the spec; parameters it does not name are added."""
    if request.entrypoint:
        spec["entrypoint"] = request.entrypoint
    if not request.parameters:
        return
    arguments = spec.setdefault("arguments", {})
    kept = [p for p in arguments.get("parameters") or [] if p["name"] not in request.parameters]
    given = [{"name": name, "value": any_string(value)} for name, value in request.parameters.items()]
    arguments["parameters"] = given + kept


def _merged(own: Json, library: Mapping[str, Json]) -> Json:
    ref = own.get("workflowTemplateRef")
    if ref is None:
        return own
    template = library.get(ref.get("name", ""))
    if template is None:
        raise BadInput(
            f"WorkflowTemplate {ref.get('name')} is not there",
            where="spec.workflowTemplateRef",
            remedy="give its file beside the workflow's",
        )
    return {key: value for key, value in join(own, template.get("spec") or {}).items() if key != "workflowTemplateRef"}


def _check(metadata: Json, spec: Json) -> None:
    """Refuse what the controller would refuse before it starts anything."""
    entrypoint = spec.get("entrypoint")
    if not entrypoint:
        raise BadInput("spec.entrypoint is required", where=metadata["name"])
    if by_name(spec.get("templates"), entrypoint) is None:
        raise BadInput(
            f"template name '{entrypoint}' undefined", where="spec.entrypoint", remedy="name one of spec.templates"
        )
    for parameter in (spec.get("arguments") or {}).get("parameters") or []:
        name = parameter["name"]
        if "value" not in parameter and "valueFrom" not in parameter:
            raise BadInput(
                f"spec.arguments.{name}.value or spec.arguments.{name}.valueFrom is required",
                remedy=f"give it: -p {name}=…",
            )
        if "enum" in parameter and "value" in parameter and parameter["value"] not in parameter["enum"]:
            raise BadInput(f"spec.arguments.{name}.value should be present in spec.arguments.{name}.enum list")
