"""Retries: a Retry node whose children are the attempts (Argo's processNodeRetries)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.local.engine import durations
from pipelines.local.engine.arguments import substitute
from pipelines.local.engine.context import Context, Options
from pipelines.local.engine.errors import PROBLEMS, NodeProblem
from pipelines.local.engine.gojson import sprint_float
from pipelines.local.engine.ids import pod_name
from pipelines.local.engine.nodes import ERROR, FAILED, RUNNING, SUCCEEDED, Node
from pipelines.local.engine.specs import Json, is_pod

if TYPE_CHECKING:
    from pipelines.local.engine.execute import Call

_TRANSIENT = (
    "etcdserver: leader changed",
    "etcdserver: request timed out",
    "etcdserver: too many requests",
    "Connection closed by foreign host",
    "net/http: TLS handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset by peer",
    "http2: client connection lost",
    "http2: server sent GOAWAY and closed the connection",
    "connect: connection refused",
    "invalid connection",
)


def policy(strategy: Mapping[str, Any]) -> str:
    """Return the policy that counts: the given one; else Always if there is an expression; else OnFailure."""
    given = strategy.get("retryPolicy")
    if given:
        return str(given)
    return "Always" if strategy.get("expression") else "OnFailure"


def next_attempt(call: Call, strategy: Json) -> str | None:
    """Return the name of the attempt to start or continue; None if the Retry node waits or is done.

    Raises:
        NodeProblem, LangError: the strategy cannot be used; the Retry node is marked.
    """
    op, options = call.op, call.options
    parent = call.node
    if parent is None:
        parent = op.new_executable(call.name, "Retry", RUNNING, call.invocation)
        call.node = parent
        if options.flag:
            parent.flag = {**options.flag, "retried": True}
    options.flag = {**(options.flag or {}), "retried": True}
    try:
        go_on = _assess(op, parent, strategy, options)
    except PROBLEMS as error:
        op.mark_error(parent.name, error)
        raise
    if not go_on:
        return None
    attempts = op.nodes.attempts(parent)
    last = attempts[-1] if attempts else None
    if parent.fulfilled and op.nodes.children_fulfilled(parent):
        if last is not None:
            parent.outputs = last.outputs
            op.nodes.touch(parent)
        op.locks.release_node(parent.id)
        return None
    if last is not None and not last.fulfilled:
        number, name = len(attempts) - 1, last.name
    else:
        number = len(attempts)
        name = f"{parent.name}({number})"
        op.nodes.add_child(parent.name, name)
    _substitute(call, name, number, last)
    return name


def _substitute(call: Call, name: str, number: int, last: Node | None) -> None:
    """Fill in what only an attempt knows: `retries`, `lastRetry.*` and the pod's name."""
    values = {"retries": str(number), **_last_retry(last, no_exit_code="0")}
    if is_pod(call.template):
        values["pod.name"] = pod_name(call.op.name, name, call.template.get("name", ""))
    try:
        call.template = substitute(call.template, call.op.globals, values, call.op.templating)
    except PROBLEMS as error:
        call.name, call.node = name, call.op.node(name)
        call.fail(error)
        raise


def _last_retry(last: Node | None, *, no_exit_code: str) -> dict[str, str]:
    outputs = (last.outputs if last else None) or {}
    return {
        "lastRetry.exitCode": outputs.get("exitCode", no_exit_code),
        "lastRetry.status": last.phase if last else "",
        "lastRetry.duration": sprint_float(last.duration()) if last else "0",
        "lastRetry.message": last.message if last else "",
    }


def _assess(op: Context, parent: Node, strategy: Json, options: Options) -> bool:
    """Update a Retry node from its last attempt; False while a backoff lasts."""
    attempts = op.nodes.attempts(parent)
    if parent.fulfilled or not attempts or not attempts[-1].fulfilled:
        return True
    last = attempts[-1]
    if not last.bad:
        parent.outputs = last.outputs
        op.mark(parent.name, SUCCEEDED)
        return True
    if op.shutdown:
        op.mark(parent.name, last.phase, f"Stopped with strategy '{op.shutdown}'")
        return True
    if op.deadline and op.clock.now() >= op.deadline:
        op.mark(parent.name, last.phase, f"retry exceeded workflow deadline {_go_time(op.deadline)}")
        return True
    if "backoff" in strategy:
        waits = _back_off(op, parent, attempts, strategy, options)
        if waits is not None:
            return waits
        op.mark(parent.name, parent.phase, "")
    _decide(op, parent, attempts, strategy)
    return True


def _back_off(op: Context, parent: Node, attempts: list[Node], strategy: Json, options: Options) -> bool | None:
    """Apply backoff: False = still waiting, True = given up, None = the next attempt may be considered."""
    backoff, last, now = strategy["backoff"], attempts[-1], op.clock.now()
    limit: datetime | None = None
    assert last.finished_at
    if backoff.get("maxDuration"):
        assert attempts[0].started_at
        limit = attempts[0].started_at + timedelta(seconds=_duration(backoff["maxDuration"]))
        if now > limit:
            op.mark(parent.name, last.phase, "Max duration limit exceeded")
            return True
    if not backoff.get("duration"):
        raise NodeProblem("no base duration specified for retryStrategy")
    wait = _duration(backoff["duration"])
    factor = _int(backoff.get("factor"))
    if factor is not None and factor > 0:
        wait *= factor ** (len(attempts) - 1)
    if backoff.get("cap"):
        wait = min(wait, _duration(backoff["cap"]))
    until = last.finished_at + timedelta(seconds=wait)
    if limit is not None and until > limit:
        op.mark(parent.name, last.phase, "Backoff would exceed max duration limit")
        return True
    if now < until and "limit" in strategy and len(attempts) <= _int_value(strategy["limit"]):
        op.wake_at(until)
        op.mark(parent.name, parent.phase, f"Backoff for {durations.humanize(wait)}")
        return False
    options.execution_deadline = limit
    return None


def _decide(op: Context, parent: Node, attempts: list[Node], strategy: Json) -> None:
    """Give up by policy, limit or expression, or leave the node as it is for another attempt."""
    last, how = attempts[-1], policy(strategy)
    if how not in {"Always", "OnError", "OnFailure", "OnTransientError"}:
        raise NodeProblem(f"{how} is not a valid RetryPolicy")
    transient = how == "OnTransientError" and _is_transient(last.message)
    on_failed = how in {"Always", "OnFailure"} or transient
    on_error = how in {"Always", "OnError"} or transient
    if (last.phase == FAILED and not on_failed) or (last.phase == ERROR and not on_error):
        op.mark(parent.name, last.phase, last.message)
        return
    limit = _int(strategy.get("limit"))
    if limit is not None and len(attempts) > limit:
        op.mark(parent.name, last.phase, "No more retries left")
        return
    if strategy.get("expression"):
        env = {"retries": str(len(attempts) - 1), **_last_retry(last, no_exit_code="-1")}
        if not op.templating.lang.expr_bool(strategy["expression"], env, now=op.clock.now()):
            op.mark(parent.name, last.phase, "retryStrategy.expression evaluated to false")


def _is_transient(message: str) -> bool:
    pattern = os.environ.get("TRANSIENT_ERROR_PATTERN", "")
    return any(text in message for text in _TRANSIENT) or bool(pattern and re.search(pattern, message))


def _duration(text: Any) -> float:
    try:
        return durations.parse(str(text))
    except ValueError as error:
        raise NodeProblem(str(error)) from error


def _int(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except ValueError as error:
        raise NodeProblem(f"value '{value}' cannot be resolved to an int") from error


def _int_value(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def _go_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
