"""One pod: what it is to run and how far it is, in memory and in the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipelines.local.engine import limits
from pipelines.local.engine.context import Context, Options
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.ids import new_uid, pod_name
from pipelines.local.engine.nodes import Node
from pipelines.local.engine.outputs import Outcome
from pipelines.local.engine.specs import Json

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@dataclass(kw_only=True)
class Pod:
    """One pod: what it is to run, and how far it is."""

    node_id: str
    node_name: str
    template: Json
    include_result: bool
    on_exit: bool
    active_seconds: float | None = None
    stop_at: datetime | None = None
    uid: str = field(default_factory=new_uid)
    launched: bool = False
    running: bool = False
    ends_at: datetime | None = None
    stopping: bool = False
    gone: bool = False
    too_late: bool = False
    outcome: Outcome | None = None

    def to_dict(self) -> Json:
        """Return what the store keeps, enough to run the pod again as the same attempt."""
        return {
            "node": self.node_name,
            "template": self.template,
            "includeResult": self.include_result,
            "onExit": self.on_exit,
            "activeSeconds": self.active_seconds,
            "stopAt": self.stop_at.isoformat() if self.stop_at else None,
            "uid": self.uid,
        }

    @classmethod
    def from_dict(cls, node_id: str, document: Mapping[str, Any]) -> Pod:
        """Rebuild a pod from the store."""
        return cls(
            node_id=node_id,
            node_name=document["node"],
            template=document["template"],
            include_result=document["includeResult"],
            on_exit=document["onExit"],
            active_seconds=document["activeSeconds"],
            stop_at=datetime.fromisoformat(document["stopAt"]) if document["stopAt"] else None,
            uid=document["uid"],
        )


def new_pod(op: Context, node: Node, template: Json, *, include_result: bool, options: Options) -> Pod | None:
    """Make a node's pod; None if the workflow's deadline leaves no time for one.

    Raises:
        NodeProblem: its name is none for a pod, or its template's timeout is over already.
    """
    check_name(pod_name(op.name, node.name, template.get("name", "")))
    now = op.clock.now()
    active = _number(template.get("activeDeadlineSeconds"))
    if op.deadline is not None and not options.on_exit and int((op.deadline - now).total_seconds()) <= 0:
        return None
    seconds = limits.template_timeout(template)
    if seconds is not None and node.started_at is not None:
        left = int((node.started_at + timedelta(seconds=seconds) - now).total_seconds())
        if left <= 1:
            raise NodeProblem(f"{node.name} exceeded its deadline")
        active = left if active is None else min(active, left)
    return Pod(
        node_id=node.id,
        node_name=node.name,
        template=template,
        include_result=include_result,
        on_exit=options.on_exit,
        active_seconds=active,
        stop_at=options.execution_deadline,
    )


def check_name(name: str) -> None:
    """Refuse a pod name as the API server does; template names may have capitals, pod names may not."""
    if not _SUBDOMAIN.fullmatch(name):
        raise NodeProblem(
            f'Pod "{name}" is invalid: metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must '
            "consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
            f"character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN.pattern}')"
        )


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(int(value))
    except ValueError as error:
        raise NodeProblem(f"value '{value}' cannot be resolved to an int") from error
