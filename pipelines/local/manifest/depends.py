"""Dependencies between the tasks of a DAG: `dependencies` and `depends`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORD = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*)")
_RESULT = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+)")
_OF_ITEMS = ("AnySucceeded", "AllFailed")
_RESULTS = ("Succeeded", "Failed", "Skipped", "Omitted", "Errored", "Daemoned", *_OF_ITEMS)

Task = Mapping[str, Any]


class Depends:
    """The dependencies of every task of a DAG."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks: dict[str, Task] = {task.get("name") or "": task for task in tasks}
        self._of: dict[str, dict[str, bool]] = {}

    def of(self, name: str) -> dict[str, bool]:
        """Give the tasks that a task waits for; True where it asks about the items of that task."""
        if name not in self._of:
            self._of[name] = dependencies(self.tasks.get(name, {}))
        return self._of[name]

    def ancestors(self, name: str) -> set[str]:
        """Give all tasks that come before a task."""
        found: set[str] = set()
        waiting = list(self.of(name))
        while waiting:
            other = waiting.pop()
            if other not in found:
                found.add(other)
                waiting.extend(self.of(other))
        return found - {name}

    def cycles(self) -> Iterator[list[str]]:
        """Give each cycle once, beginning and ending with the same task."""
        done: set[str] = set()
        for start in self.tasks:
            yield from self._cycles(start, [], done)

    def _cycles(self, name: str, path: list[str], done: set[str]) -> Iterator[list[str]]:
        if name in path:
            yield [*path[path.index(name) :], name]
            return
        if name in done:
            return
        path.append(name)
        for other in self.of(name):
            if other in self.tasks:
                yield from self._cycles(other, path, done)
        path.pop()
        done.add(name)


def dependencies(task: Task) -> dict[str, bool]:
    """Give the tasks that a task's `depends` or `dependencies` name; True where it asks about items."""
    logic = task.get("depends") or ""
    if not logic:
        return dict.fromkeys(task.get("dependencies") or [], False)
    found: dict[str, bool] = {}
    for result, bare in _WORD.findall(logic):
        name, _, asked = result.partition(".") if result else (bare, "", "")
        found[name] = found.get(name, False) or asked in _OF_ITEMS
    return found


def result_problem(task: Task) -> str:
    """Say which result in a task's `depends` does not exist; empty if all do."""
    for word in _RESULT.findall(task.get("depends") or ""):
        name, _, result = word.partition(".")
        if result not in _RESULTS:
            return f"task result '{result}' for task '{name}' is invalid"
    return ""


def topological_problem(tasks: Sequence[Task], depends: Depends) -> str:
    """Say why tasks cannot be put in an order; empty if they can."""
    names = [task.get("name") or "" for task in tasks]
    for name in names:
        if names.count(name) > 1:
            return f"duplicated nodeName {name}"
    for name in names:
        for other in depends.of(name):
            if other not in depends.tasks:
                return f"invalid dependency {other}"
    return "graph with cycle" if any(True for _ in depends.cycles()) else ""
