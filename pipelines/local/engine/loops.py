"""Expanding a step or task over its items, and substituting what it refers to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.local.engine.context import Context
from pipelines.local.engine.errors import PROBLEMS, NodeProblem
from pipelines.local.engine.gojson import compact
from pipelines.local.engine.scope import Scope
from pipelines.local.engine.specs import Json
from pipelines.local.engine.templating import VOLATILE
from pipelines.local.lang import LangError, LoopItem

_LOOPS = ("withItems", "withParam", "withSequence")


def expands(holder: Mapping[str, Any]) -> bool:
    """Whether a step or task runs once per item."""
    return bool(holder.get("withItems") or holder.get("withParam") or "withSequence" in holder)


def resolve(op: Context, holder: Json, scope: Scope) -> Json:
    """Substitute what a step or task refers to, and find its artifacts.

    Raises:
        NodeProblem, LangError: a reference, or the `when` of something that does not loop, cannot be evaluated.
    """
    values = {**op.globals, **scope.texts}
    resolved: Json = op.templating.value(holder, values)
    if not _proceeds(op, resolved):
        return resolved
    arguments = resolved.get("arguments") or {}
    if arguments.get("artifacts"):
        found = []
        for artifact in arguments["artifacts"]:
            taken = _artifact(op, artifact, scope)
            if taken is not None:
                found.append(taken)
        resolved = {**resolved, "arguments": {**arguments, "artifacts": found}}
    return resolved


def _proceeds(op: Context, holder: Json) -> bool:
    try:
        return should_execute(op, holder)
    except LangError:
        if expands(holder):
            return True
        raise


def _artifact(op: Context, artifact: Json, scope: Scope) -> Json | None:
    if not artifact.get("from") and not artifact.get("fromExpression"):
        return artifact
    try:
        found = scope.resolve_artifact(artifact, op.templating)
    except PROBLEMS as error:
        if artifact.get("optional") and "Unable to resolve" in str(error):
            return None
        raise
    return {**found, "name": artifact["name"]} if found else None


def should_execute(op: Context, holder: Mapping[str, Any]) -> bool:
    """Evaluate a substituted `when`; LangError if it cannot be."""
    when = holder.get("when")
    return not when or op.templating.lang.should_execute(when)


def expand(op: Context, holder: Json, scope: Scope, node_name: str) -> list[Json]:
    """Return one copy of a step or task per item, each with its own name and the item substituted.

    Raises:
        NodeProblem, LangError: the items cannot be read, or an item lacks what a tag asks for.
    """
    values = {**op.globals, **scope.texts}
    text = compact({key: value for key, value in holder.items() if key not in _LOOPS})
    key = (text, holder.get("withParam"), tuple(item for item in values.items() if item[0] not in VOLATILE))
    cached = op.caches.get(node_name)
    if cached is not None and cached[0] == key:
        expanded: list[Json] = cached[1]
        return expanded
    items = _items(op, holder)
    allow_unresolved = _never(op, holder)
    expanded = []
    for item in items:
        copied = json.loads(op.templating.text(text, {**values, **item.values}, allow_unresolved=allow_unresolved))
        copied["name"] = holder["name"] + item.suffix
        if "template" in holder:
            copied["template"] = holder["template"]
        expanded.append(copied)
    op.caches[node_name] = (key, expanded)
    return expanded


def _items(op: Context, holder: Json) -> list[LoopItem]:
    lang = op.templating.lang
    if holder.get("withItems"):
        return lang.items(compact(holder["withItems"]))
    try:
        if holder.get("withParam"):
            return lang.items(holder["withParam"])
        sequence = holder["withSequence"]
        return lang.sequence(
            start=_text(sequence.get("start")),
            end=_text(sequence.get("end")),
            count=_text(sequence.get("count")),
            fmt=sequence.get("format", ""),
        )
    except LangError as error:
        if _never(op, holder):
            return []
        if holder.get("withParam"):
            given = holder["withParam"].strip()
            raise NodeProblem(f"withParam value could not be parsed as a JSON list: {given}: {error}") from error
        raise


def _never(op: Context, holder: Json) -> bool:
    """Whether `when` is false already before any item is substituted."""
    try:
        return not should_execute(op, holder)
    except LangError:
        return False


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
