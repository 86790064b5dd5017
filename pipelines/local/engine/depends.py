"""What a task waits for: `depends` and `dependencies` (Argo's ancestry.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.local.engine.nodes import ERROR, FAILED, OMITTED, SKIPPED, SUCCEEDED, Node, Nodes
from pipelines.local.engine.specs import Json

_TASK = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*)")


class Dependencies:
    """The tasks of one dag: which others each waits for, and the condition on them."""

    def __init__(self, tasks: list[Json]) -> None:
        self.tasks = {task["name"]: task for task in tasks}
        self.names: dict[str, list[str]] = {}
        self.logic: dict[str, str] = {}
        for task in tasks:
            self.names[task["name"]], self.logic[task["name"]] = self._of(task)

    def _of(self, task: Mapping[str, Any]) -> tuple[list[str], str]:
        written = task.get("depends") or " && ".join(self._expand(name) for name in task.get("dependencies") or [])
        names: dict[str, None] = {}

        def note(match: re.Match[str]) -> str:
            with_result, bare = match.groups()
            if with_result:
                names[with_result.partition(".")[0]] = None
                return str(with_result)
            names[bare] = None
            return self._expand(bare)

        logic = _TASK.sub(note, written)
        return list(names), logic

    def _expand(self, name: str) -> str:
        results = ["Succeeded", "Skipped", "Daemoned"]
        on = self.tasks[name].get("continueOn") or {}
        results += [result for flag, result in (("error", "Errored"), ("failed", "Failed")) if on.get(flag)]
        return "(" + " || ".join(f"{name}.{result}" for result in results) + ")"

    def leaves(self) -> list[str]:
        """Return the tasks that no other waits for, sorted."""
        awaited = {name for names in self.names.values() for name in names}
        return sorted(set(self.tasks) - awaited)

    def ancestors(self, task: str) -> list[str]:
        """Return every task that this one waits for, directly or not, each after those it waits for."""
        found: dict[str, None] = {}

        def visit(name: str) -> None:
            for parent in self.names[name]:
                if parent not in found:
                    visit(parent)
                    found[parent] = None

        visit(task)
        return list(found)


def results(node: Node, nodes: Nodes) -> dict[str, bool]:
    """Return what a `depends` condition may ask of a task that is done."""
    children = [child for key in node.children if (child := nodes.get(key))] if node.type == "TaskGroup" else []
    return {
        "Succeeded": node.phase == SUCCEEDED,
        "Failed": node.phase == FAILED,
        "Errored": node.phase == ERROR,
        "Skipped": node.phase == SKIPPED,
        "Omitted": node.phase == OMITTED,
        "Daemoned": False,
        "AnySucceeded": any(child.phase == SUCCEEDED for child in children),
        "AllFailed": bool(children) and all(child.phase == FAILED for child in children),
    }
