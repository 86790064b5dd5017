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
    logic = task.get("depends") or " ".join(f"{name}.Succeeded" for name in task.get("dependencies") or [])
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


def topological_order(tasks: Sequence[Task], depends: Depends) -> tuple[list[int], str]:
    """Put tasks in an order in which what they depend on comes first.

    Gives their indices, and why there is no such order (then the indices are as written).
    """
    names = [task.get("name") or "" for task in tasks]
    as_written = list(range(len(names)))
    for name in names:
        if names.count(name) > 1:
            return as_written, f"duplicated nodeName {name}"
    for name in names:
        for other in depends.of(name):
            if other not in depends.tasks:
                return as_written, f"invalid dependency {other}"
    waiting = [len(depends.of(name)) for name in names]
    order = [index for index in as_written if not waiting[index]]
    for index in order:
        for after in as_written:
            if names[index] in depends.of(names[after]):
                waiting[after] -= 1
                if not waiting[after]:
                    order.append(after)
    return (order, "") if len(order) == len(names) else (as_written, "graph with cycle")
