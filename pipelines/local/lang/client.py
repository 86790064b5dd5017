"""The Python side of the language helper."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pipelines.local.lang.errors import LangError
from pipelines.local.lang.process import Helper
from pipelines.local.lang.values import LoopItem, Tag, Value

TaskResults = Mapping[str, bool]


class Lang:
    """Answers questions about template tags, expressions, conditions and schedules. Safe for threads.

    Every method raises LangError with the library's own message where Argo would refuse. `now` is for a virtual clock:
    functions that read the time (`now()`, `sprig.now`, `sprig.ago`) see it instead of the wall clock.
    """

    _shared: ClassVar[Lang | None] = None
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, helper: Helper | None = None) -> None:
        if helper is None:
            from pipelines.local.lang.build import binary

            helper = Helper(binary)
        self._helper = helper

    @classmethod
    def shared(cls) -> Lang:
        """Give the one client of this process; its helper starts (and is built, if it never was) on first use."""
        with cls._guard:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    def close(self) -> None:
        """End the helper process; the next question starts another."""
        self._helper.close()

    def _ask(self, op: str, *, now: datetime | None = None, **arguments: Any) -> Any:
        if now is not None:
            arguments["now"] = _rfc3339(now)
        return self._helper.ask({"op": op, **arguments})

    # -- templates

    def replace(
        self, template: str, values: Mapping[str, str], allow_unresolved: bool, *, now: datetime | None = None
    ) -> str:
        """Substitute tags in a JSON document.

        Args:
            template: JSON text. Written with `ensure_ascii=False`, so that tags with other letters are found.
            values: tag → text. Lone surrogates stand for bytes that are not UTF-8 (they end in an error, as in Argo).
            allow_unresolved: leave tags alone that have no value, instead of refusing.
            now: what the clock shows to expressions.
        """
        if "{{" not in template:
            return template
        result: str = self._ask("replace", template=template, allow=allow_unresolved, now=now, **_wire(values))
        return result

    def replace_many(
        self,
        templates: Sequence[str],
        values: Mapping[str, str],
        allow_unresolved: bool,
        *,
        now: datetime | None = None,
    ) -> list[str | LangError]:
        """Substitute the same values in several JSON documents, in one message; each has its own result or error."""
        replies = self._ask("replaces", templates=list(templates), allow=allow_unresolved, now=now, **_wire(values))
        return [LangError(reply["e"]) if "e" in reply else reply["r"] for reply in replies]

    def substitute(
        self, text: str, values: Mapping[str, str], allow_unresolved: bool, *, now: datetime | None = None
    ) -> str:
        """Substitute tags in a text that need not be JSON (values come quoted as for JSON nevertheless)."""
        if "{{" not in text:
            return text
        result: str = self._ask("replace", template=text, allow=allow_unresolved, plain=True, now=now, **_wire(values))
        return result

    def tags(self, text: str) -> list[Tag]:
        """List the tags of a text in order. LangError where a `{{` is never closed."""
        return [Tag(**each) for each in self._ask("tags", template=text)] if "{{" in text else []

    # -- expressions

    def value(self, expression: str, env: Mapping[str, Any], *, now: datetime | None = None) -> Value:
        """Evaluate an expression (valueFrom.expression, labelsFrom) over dotted names, with Argo's functions."""
        return Value(**self._ask("expr", expression=expression, env=dict(env), now=now))

    def expr(self, expression: str, env: Mapping[str, Any], *, now: datetime | None = None) -> Any:
        """Evaluate an expression and give its JSON value."""
        return self.value(expression, env, now=now).value

    def expr_bool(self, expression: str, env: Mapping[str, Any], *, now: datetime | None = None) -> bool:
        """Evaluate a condition (hooks, retryStrategy.expression)."""
        result: bool = self._ask("expr_bool", expression=expression, env=dict(env), now=now)
        return result

    def should_execute(self, when: str) -> bool:
        """Evaluate the `when` of a step or task, whose tags are substituted already."""
        result: bool = not when or self._ask("when", expression=when)
        return result

    def depends(self, expression: str, env: Mapping[str, TaskResults]) -> bool:
        """Evaluate a task's depends logic; env maps each task's name to its results (`{"Succeeded": True}`)."""
        result: bool = self._ask("depends", expression=expression, tasks={k: dict(v) for k, v in env.items()})
        return result

    # -- loops

    def items(self, text: str) -> list[LoopItem]:
        """Read the JSON list of withParam (or of withItems, written as JSON)."""
        return [LoopItem(**each) for each in self._ask("items", text=text)]

    def sequence(
        self, *, start: str | None = None, end: str | None = None, count: str | None = None, fmt: str = ""
    ) -> list[LoopItem]:
        """Make the items of withSequence; numbers come as texts, as in the manifest."""
        answer = self._ask("sequence", start=start, end=end, count=count, format=fmt)
        return [LoopItem(**each) for each in answer]

    # -- objects of resource templates

    def conditions(self, obj: Mapping[str, Any], success: str, failure: str) -> tuple[str | None, str | None]:
        """Judge an object: (why it has succeeded, why it has failed), at most one of them; both None = not decided yet.

        Any clause of the failure condition fails it, and is looked at first; every clause of the success condition has
        to hold. Without a success condition an object that has not failed has succeeded.
        """
        answer = self._ask("conditions", object=obj, success=success, failure=failure)
        return answer["success"], answer["failure"]

    def selector(self, selector: str, labels: Mapping[str, str]) -> bool:
        """Tell whether labels match a label selector."""
        result: bool = self._ask("selector", selector=selector, labels=dict(labels))
        return result

    def gjson(self, obj: Any, path: str) -> str:
        """Give what a gjson path finds, as text; empty where it finds nothing."""
        result: str = self._ask("gjson", object=obj, query=path)
        return result

    def jq(self, obj: Any, query: str) -> str:
        """Give the results of a jq filter, one per line."""
        result: str = self._ask("jq", object=obj, query=query)
        return result

    def jsonpath(self, obj: Mapping[str, Any], template: str) -> str:
        """Print what `kubectl get -o jsonpath=TEMPLATE` prints."""
        result: str = self._ask("jsonpath", object=obj, query=template)
        return result

    # -- time

    def cron_times(self, schedule: str, timezone: str, start: datetime, end: datetime) -> list[datetime]:
        """List the times (UTC) at which a schedule fires, start ≤ t < end; an empty time zone is UTC."""
        answer = self._ask("cron_times", schedule=schedule, timezone=timezone, start=_rfc3339(start), end=_rfc3339(end))
        return [datetime.fromisoformat(each) for each in answer]

    def cron_check(self, schedule: str) -> None:
        """Refuse a schedule that cannot be read."""
        self._ask("cron_check", schedule=schedule)

    def timezone_check(self, timezone: str) -> None:
        """Refuse a time zone that does not exist."""
        self._ask("timezone", text=timezone)

    def cron_when(self, expression: str, state: Mapping[str, Any], *, now: datetime | None = None) -> bool:
        """Evaluate `when` of a CronWorkflow.

        Args:
            expression: the field's text.
            state: name, namespace, labels, annotations, failed, succeeded, lastScheduledTime (RFC 3339 or None).
            now: what the clock shows.
        """
        result: bool = self._ask("cron_when", expression=expression, now=now, **state)
        return result

    def cron_stop(self, expression: str, state: Mapping[str, Any], *, now: datetime | None = None) -> bool:
        """Evaluate stopStrategy.expression of a CronWorkflow; `state` as in `cron_when`."""
        result: bool = self._ask("cron_stop", expression=expression, now=now, **state)
        return result

    def duration(self, text: str) -> float:
        """Read a duration of retryStrategy or suspend, in seconds: a bare number is seconds, else Go's form (1h30m)."""
        return float(self._ask("duration", text=text))


def _rfc3339(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError(f"a time without a time zone: {time}")
    return time.isoformat()


def _wire(values: Mapping[str, str]) -> dict[str, Any]:
    """Split values into those that are text and those that hold bytes which are not UTF-8."""
    raw = {k: v for k, v in values.items() if not v.isascii() and any("\ud800" <= char <= "\udfff" for char in v)}
    if not raw:
        return {"values": dict(values)}
    coded = {k: base64.b64encode(v.encode("utf-8", "surrogatepass")).decode() for k, v in raw.items()}
    return {"values": {k: v for k, v in values.items() if k not in raw}, "bytes": coded}
