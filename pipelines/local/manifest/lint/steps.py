"""Steps templates, and what steps and tasks have in common."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.local.manifest.lint.arguments import validate_arguments
from pipelines.local.manifest.lint.base import Json, Scope, Site, Validation, parameters
from pipelines.local.manifest.lint.names import field_name_problem
from pipelines.local.manifest.lint.scopes import items_in_scope, outputs_in_scope, resolve


def validate(site: Site, scope: Scope, template: Json) -> None:
    """Check the steps of a template, in order: each sees what came before it."""
    not_a_leaf(site, template)
    name = template.get("name") or ""
    seen: set[str] = set()
    for group, index, step in _each(template):
        here, label = site.at(f".steps[{group}][{index}]"), f"templates.{name}.steps[{group}]"
        step_name = step.get("name") or ""
        _name(here, step_name, seen, label)
        seen.add(step_name)
        _step(here, scope, step, f"{label}.{step_name}", f"templates.{name}.steps ")


def _each(template: Json) -> Iterator[tuple[int, int, Json]]:
    for group, listed in enumerate(template.get("steps") or []):
        for index, step in enumerate(listed or []):
            yield group, index, step


def _name(site: Site, name: str, seen: set[str], label: str) -> None:
    if not name:
        site.report(f"{label}.name is required")
    elif name in seen:
        site.report(f"{label}.name '{name}' is not unique", ".name")
    elif problem := field_name_problem(name):
        site.report(f"{label}.name '{name}' is invalid: {problem}", ".name")


def _step(site: Site, scope: Scope, step: Json, label: str, unresolved: str) -> None:
    from pipelines.local.manifest.lint.template import validate_holder

    v, own = site.v, f"steps.{step.get('name') or ''}"
    scope[f"{own}.status"] = ""
    for problem in items_in_scope(step, scope):
        site.report(f"{label} {problem}")
    validate_arguments(site.at(".arguments"), step.get("arguments"), f"{label}.arguments.")
    target = validate_holder(site.after(f"{label} "), step, None)
    if has_exit_hook(step):
        outputs_in_scope(v, target, own, scope)
    validate_hooks(site.at(".hooks"), step.get("hooks"), label)
    resolve(site.after(unresolved), with_inline_inputs(v, step, scope), step)
    aggregate = bool(step.get("withItems") or step.get("withParam"))
    outputs_in_scope(v, target, own, scope, aggregate=aggregate)
    if target is not None:
        validate_holder(site.after(f"{label} "), step, step.get("arguments") or {})


def not_a_leaf(site: Site, template: Json) -> None:
    """Refuse a deadline on a template that only holds others."""
    if template.get("activeDeadlineSeconds") is not None:
        name = f"templates.{template.get('name') or ''}.activeDeadlineSeconds"
        site.report(f"{name} is only valid for leaf templates", ".activeDeadlineSeconds")


def has_exit_hook(step: Json) -> bool:
    """Tell whether something runs when a step or task ends."""
    return bool(step.get("onExit")) or "exit" in (step.get("hooks") or {})


def validate_hooks(site: Site, hooks: Json | None, label: str) -> None:
    """Require an expression of every hook but `exit`."""
    for name, hook in (hooks or {}).items():
        if name != "exit" and not (hook or {}).get("expression"):
            site.report(f"{label}.{name} Expression required", f".{name}")


def with_inline_inputs(v: Validation, step: Json, scope: Scope) -> Scope:
    """Add the inputs of an inline template to a step's or task's own scope."""
    own = dict(scope)
    for each in parameters((step.get("inline") or {}).get("inputs")):
        own[f"inputs.parameters.{each.get('name')}"] = v.placeholder()
    return own
