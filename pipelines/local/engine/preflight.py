"""What can be known to be impossible before any step starts: images, kinds of resources, Secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.local.engine import kubectl
from pipelines.local.engine.images import ImageTable
from pipelines.local.engine.objects import ObjectSet
from pipelines.local.engine.operators import Operator
from pipelines.local.engine.specs import Json, by_name, with_defaults
from pipelines.local.errors import BadInput


def check(document: Json, images: ImageTable, operators: Mapping[str, Operator], objects: ObjectSet) -> None:
    """Refuse a run whose templates this machine cannot carry out.

    Raises:
        BadInput: with the field's path.
    """
    defaults = document["spec"].get("templateDefaults")
    for path, given in reachable(document):
        template = with_defaults(given, defaults)
        for kind in ("container", "script"):
            if kind in template:
                _check_container(f"{path}.{kind}", template[kind], images, objects)
        if "resource" in template:
            _check_resource(f"{path}.resource", template["resource"], operators)


def reachable(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield every template that the entrypoint, the exit handler or a hook can reach, with its path."""
    spec, library = document["spec"], document["library"]
    seen: set[tuple[str, str]] = set()
    starts = [
        {"template": spec.get("entrypoint")},
        {"template": spec.get("onExit")},
        *(spec.get("hooks") or {}).values(),
    ]
    queue: list[tuple[str, Mapping[str, Any]]] = [("", start) for start in starts]
    while queue:
        scope, holder = queue.pop()
        inline = holder.get("inline")
        if inline is not None:
            yield f"{scope or 'spec'}.inline", inline
            queue += [(scope, each) for each in _callers(inline)]
            continue
        ref = holder.get("templateRef")
        if ref:
            scope, name = ref.get("name", ""), ref.get("template", "")
        else:
            name = holder.get("template") or ""
        if not name or (scope, name) in seen:
            continue
        seen.add((scope, name))
        templates = (library.get(scope, {}).get("spec") or {}).get("templates") if scope else spec.get("templates")
        template = by_name(templates, name)
        if template is None:
            continue
        yield f"{scope or 'spec'}.templates[{name}]", template
        queue += [(scope, each) for each in _callers(template)]


def _callers(template: Json) -> list[Mapping[str, Any]]:
    """Return the steps, tasks, hooks and exit handlers of a template."""
    holders = [step for group in template.get("steps") or [] for step in group]
    holders += (template.get("dag") or {}).get("tasks") or []
    hooks = [hook for holder in holders for hook in (holder.get("hooks") or {}).values()]
    exits = [{"template": holder["onExit"]} for holder in holders if holder.get("onExit")]
    return [*holders, *hooks, *exits]


def _check_container(path: str, container: Json, images: ImageTable, objects: ObjectSet) -> None:
    image = container.get("image", "")
    if "{{" not in image and images.find(image) is None:
        raise BadInput(
            f"image {image!r} cannot run on this machine",
            where=f"{path}.image",
            remedy="use one that it can stand in for: " + ", ".join(images.names()),
        )
    for entry in container.get("env") or []:
        ref = (entry.get("valueFrom") or {}).get("secretKeyRef")
        if ref and not ref.get("optional") and "{{" not in f"{ref.get('name')}{ref.get('key')}":
            data = objects.secret(ref.get("name", ""))
            if data is None or ref.get("key") not in data:
                raise BadInput(
                    f"Secret {ref.get('name')} with key {ref.get('key')} is not there",
                    where=f"{path}.env[{entry['name']}]",
                    remedy="give its file beside the workflow's",
                )


def _check_resource(path: str, resource: Json, operators: Mapping[str, Operator]) -> None:
    """Refuse a kind that nobody plays here, and fields that its operator cannot carry out."""
    text = resource.get("manifest", "")
    try:
        manifest = kubectl.parsed(text)
    except kubectl.KubectlError:
        return
    kind = str(manifest["kind"])
    if "{{" in kind or resource.get("action") in {"get", "delete", "patch"}:
        return
    if kind not in operators:
        raise BadInput(f"a resource of kind {kind} is not supported on this machine", where=f"{path}.manifest")
    problems = operators[kind].check(manifest) if "{{" not in text else []
    if problems:
        raise BadInput(f"{kind}: {problems[0]}", where=f"{path}.manifest")
