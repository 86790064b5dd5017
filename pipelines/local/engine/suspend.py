"""Suspend templates: wait for a duration, or for a person."""

from __future__ import annotations

import json
from datetime import timedelta

from pipelines.local.engine import durations
from pipelines.local.engine.context import Context, Invocation
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.gojson import any_string
from pipelines.local.engine.nodes import PENDING, RUNNING, SUCCEEDED, Node


def execute_suspend(op: Context, name: str, call: Invocation) -> Node:
    """Start or continue a suspend node.

    Raises:
        NodeProblem: the duration is none, or an output was not supplied when it ended.
    """
    node = op.node(name)
    if node is None:
        node = op.new_executable(name, "Suspend", PENDING, call)
        _offer_choices(node)
    duration = (call.template.get("suspend") or {}).get("duration")
    if duration:
        try:
            seconds = durations.parse(str(duration))
        except ValueError as error:
            raise NodeProblem(str(error)) from error
        assert node.started_at
        until = node.started_at + timedelta(seconds=seconds)
        if op.clock.now() >= until:
            supply_defaults(node)
            return op.mark(name, SUCCEEDED)
        op.wake_at(until)
    return op.mark(name, RUNNING)


def supply_defaults(node: Node) -> None:
    """Give the outputs that nobody supplied their defaults.

    Raises:
        NodeProblem: one has no default.
    """
    for parameter in (node.outputs or {}).get("parameters") or []:
        source = parameter.get("valueFrom") or {}
        if "supplied" not in source:
            continue
        if "default" not in source:
            raise NodeProblem(
                f"raw output parameter '{parameter['name']}' has not been set and does not have a default value"
            )
        parameter["value"] = source["default"]
        del parameter["valueFrom"]


def _offer_choices(node: Node) -> None:
    """Take the choices (`enum`) that a parameter's value describes, as a form would show them."""
    for parameter in (node.inputs or {}).get("parameters") or []:
        try:
            described = json.loads(parameter.get("value", ""))
        except ValueError:
            continue
        choices = described.get("enum") if isinstance(described, dict) else None
        if choices:
            parameter["enum"] = [any_string(choice) for choice in choices]
            parameter.setdefault("default", parameter["enum"][0])
