"""Templates that run something themselves."""

from __future__ import annotations

import re

from pipelines.local.errors import BadInput
from pipelines.local.manifest import goyaml
from pipelines.local.manifest.lint.base import Base, Json, Scope, Site, artifacts
from pipelines.local.manifest.lint.scopes import resolve

_ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")
_EXPRESSION = re.compile(r"\{\{\s*=\s*(.+?)\s*\}\}")


def validate(site: Site, scope: Scope, template: Json) -> None:
    """Check a container, script, resource or suspend template."""
    name = template.get("name") or ""
    resolve(site.after(f"templates.{name}: "), scope, template)
    if template.get("container") is not None:
        _mounts(site, template)
    for kind in ("container", "script"):
        run = template.get(kind)
        if run is not None and not run.get("image") and not _default_image(site.base, kind):
            site.report(f"templates.{name}.{kind}.image may not be empty", f".{kind}")
    if template.get("resource") is not None:
        _resource(site.at(".resource"), f"templates.{name}.resource", template["resource"])
    _deadline(site, template)
    if template.get("parallelism") is not None:
        site.report(f"templates.{name}.parallelism is only valid for steps and dag templates", ".parallelism")


def _default_image(base: Base, kind: str) -> str:
    defaults = (base.spec.get("templateDefaults") or {}).get(kind) or {}
    return str(defaults.get("image") or "") if base.scope != "cluster" else ""


def _mounts(site: Site, template: Json) -> None:
    name = f"templates.{template.get('name') or ''}"
    taken: dict[str, str] = {}
    for index, each in enumerate(template["container"].get("volumeMounts") or []):
        path, here = each.get("mountPath") or "", f"container.volumeMounts[{index}]"
        if path in taken:
            site.report(f"{name}.{here}.mountPath '{path}' already mounted in {taken[path]}", f".{here}")
        taken[path] = f"container.volumeMounts.{each.get('name')}"
    for index, each in enumerate(artifacts(template.get("inputs"))):
        path, here = each.get("path") or "", f"inputs.artifacts[{index}]"
        if path in taken:
            site.report(f"{name}.{here}.path '{path}' already mounted in {taken[path]}", f".{here}")
        taken[path] = f"inputs.artifacts.{each.get('name')}"


def _resource(site: Site, name: str, resource: Json) -> None:
    action, manifest = resource.get("action") or "", resource.get("manifest") or ""
    if action not in _ACTIONS and not action.startswith("placeholder-"):
        site.report(f"{name}.action must be one of: {', '.join(_ACTIONS)}", ".action")
    if action in ("delete", "get"):
        return
    other = resource.get("manifestFrom")
    if not manifest and other is None:
        site.report(f"either {name}.manifest or {name}.manifestFrom must be specified")
    if manifest and other is not None:
        site.report("shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for resource template")
    if manifest and not manifest.startswith("placeholder-"):
        try:
            list(goyaml.parse(_EXPRESSION.sub("placeholder", manifest), "manifest"))
        except BadInput:
            site.report(f"{name}.manifest must be a valid yaml", ".manifest")


def _deadline(site: Site, template: Json) -> None:
    value = template.get("activeDeadlineSeconds")
    if value is None:
        return
    text = str(value)
    whole = re.fullmatch(r"[+-]?\d+", text) is not None
    tag = text.startswith("placeholder-") or (text.startswith("{{") and text.endswith("}}"))
    if (whole and int(text) < 0) or not (whole or tag):
        name = f"templates.{template.get('name') or ''}.activeDeadlineSeconds"
        site.report(f"{name} must be a positive integer > 0 or an argo variable", ".activeDeadlineSeconds")
