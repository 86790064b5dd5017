"""Two runs of one workflow file, made comparable: names instead of ids, no times, no places."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_SCRUBS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d)( UTC)?)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b\d+\.\d{6,}\b"), "<duration>"),
)
_LONG = 4096
_NODE_FIELDS = ("displayName", "type", "phase", "message", "templateName")


def normalize(document: Mapping[str, Any]) -> dict[str, Any]:
    """The comparable part of a run, small enough to read.

    Args:
        document: ``{"phase", "message", "outputs", "nodes": {id: node}}``, nodes as in Argo's ``status.nodes``. Ids
            are kept where a message names one: they are a hash of the node's name, so both sides have the same.

    Returns:
        ``{"phase", "message", "outputs", "nodes": {node name: {...}}}`` without what is empty.
    """
    nodes = document.get("nodes") or {}
    names = {key: str(node.get("name", key)) for key, node in nodes.items()}
    run: dict[str, Any] = {
        "phase": document.get("phase"),
        "message": scrub(document.get("message") or ""),
        "outputs": _parameters(document.get("outputs")),
    }
    shown = {names[key]: _node(node, names) for key, node in nodes.items()}
    return {**{key: value for key, value in run.items() if value}, "nodes": dict(sorted(shown.items()))}


def _node(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {key: scrub(str(node.get(key) or "")) for key in _NODE_FIELDS}
    reference = node.get("templateRef")
    if reference:
        fields["templateRef"] = f"{reference.get('name')}/{reference.get('template')}"
    boundary = node.get("boundaryID")
    fields["boundary"] = names.get(boundary, boundary) if boundary else ""
    fields["children"] = sorted(names.get(child, child) for child in node.get("children") or [])
    fields["inputs"] = _parameters(node.get("inputs"))
    outputs = node.get("outputs") or {}
    fields["outputs"] = _parameters(outputs)
    for key in ("result", "exitCode"):
        if outputs.get(key) is not None:
            fields[key] = scrub(str(outputs[key]))
    return {key: value for key, value in fields.items() if value or key in {"result", "exitCode"}}


def _parameters(group: Mapping[str, Any] | None) -> dict[str, str | None]:
    listed = (group or {}).get("parameters") or []
    return {str(item["name"]): None if item.get("value") is None else scrub(_text(item["value"])) for item in listed}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _failures(text) if text.startswith('"[{') else text


def _failures(text: str) -> str:
    """`workflow.failures` in an order: Argo lists nodes as its map gives them, which is by chance."""
    try:
        listed = json.loads(json.loads(text))
        return json.dumps(json.dumps(sorted(listed, key=lambda node: str(node["podName"]))))
    except (ValueError, KeyError, TypeError):
        return text


def scrub(text: str) -> str:
    """The text without what differs between runs: times, uids, measured durations. A long one by its digest."""
    if len(text) > _LONG:
        return f"<{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}>"
    for pattern, stands_for in _SCRUBS:
        text = pattern.sub(stands_for, text)
    return text


def comparable(run: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a normalized run what a case can promise.

    Args:
        run: a normalized run, recorded or local.
        settings: the case's: `random` lists the phases of which one must come, and nothing else counts; `values` leaves
            out inputs and outputs; `alike` lists messages any of which may appear, because the cluster itself gives now
            one and now the other.

    A pod that a deadline has ended has exit code 137 or 143, as the signals happen to arrive: left out.
    """
    if settings.get("random"):
        return {"phase": "as listed" if run.get("phase") in settings["random"] else run.get("phase")}
    alike = list(settings.get("alike") or [])
    nodes = {}
    for name, node in (run.get("nodes") or {}).items():
        kept = dict(node)
        if kept.get("message") in alike:
            kept["message"] = alike[0]
        if kept.get("exitCode") in {"137", "143"} and not str(kept.get("message")).startswith("main:"):
            del kept["exitCode"]
        if settings.get("values"):
            kept = {key: value for key, value in kept.items() if key not in {"inputs", "outputs", "result"}}
        nodes[name] = kept
    return {**run, "nodes": nodes}


def differences(golden: Mapping[str, Any], local: Mapping[str, Any]) -> list[str]:
    """What a local run does differently from the recorded one, a line each; empty if they agree.

    Args:
        golden: a normalized run, as recorded.
        local: a normalized run.
    """
    found = [
        _line(key, golden.get(key), local.get(key))
        for key in ("phase", "message", "outputs")
        if golden.get(key) != local.get(key)
    ]
    expected, got = golden.get("nodes") or {}, local.get("nodes") or {}
    for name in sorted({*expected, *got}):
        if name not in got:
            found.append(f"node {name}: missing (expected {expected[name].get('type')} {expected[name].get('phase')})")
        elif name not in expected:
            what = " ".join(filter(None, (got[name].get(key) for key in ("type", "phase", "message"))))
            found.append(f"node {name}: not in the recording (got {what})")
        else:
            found += [
                _line(f"node {name}: {key}", expected[name].get(key), got[name].get(key))
                for key in sorted({*expected[name], *got[name]})
                if expected[name].get(key) != got[name].get(key)
            ]
    return found


def _line(what: str, expected: Any, got: Any) -> str:
    return f"{what}: expected {json.dumps(expected, ensure_ascii=False)}, got {json.dumps(got, ensure_ascii=False)}"
