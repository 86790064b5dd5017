"""Mutexes and semaphores, shared by every run of one state directory through the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.local.engine.context import Objects
from pipelines.local.engine.errors import NodeProblem
from pipelines.local.engine.specs import Json
from pipelines.local.engine.store import Store


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A lock that could not be had."""

    lock: str
    message: str


@dataclass(frozen=True, kw_only=True)
class LockOwner:
    """The run that wants locks: its names, its place in queues, and which other runs are alive or in this process."""

    namespace: str
    run: str
    priority: int
    created: datetime
    alive: Callable[[str], bool]
    here: Callable[[str], bool]
    released: Callable[[], None]


class Locks:
    """Locks as one run sees them. Holders and waiters of runs that nobody executes do not count."""

    def __init__(self, store: Store, objects: Objects, owner: LockOwner) -> None:
        self._store, self._objects, self._owner = store, objects, owner
        self._mine: set[str] = set()
        self.waiting_for: dict[str, list[str]] = {}

    def acquire(self, node_id: str, wanted: Json) -> Waiting | None:
        """Take every lock that is wanted, or none: then tell which one has to be waited for.

        Raises:
            NodeProblem: a lock is asked for twice, or a semaphore has no limit.
        """
        limits = self._limits(wanted)
        holder = self._holder(node_id)
        self._mine.add(node_id)
        with self._store.transaction() as connection:
            for lock in limits:
                if not self._holds(lock, holder):
                    connection.execute(
                        "INSERT OR IGNORE INTO queue VALUES (?, ?, ?, ?, ?)",
                        (lock, holder, self._owner.run, self._owner.priority, self._owner.created.isoformat()),
                    )
            for lock, limit in limits.items():
                refused = self._refused(lock, holder, limit)
                if refused:
                    ahead = self._front(lock)
                    self.waiting_for[node_id] = [row[0] for row in [*self._holders(lock), *([ahead] if ahead else [])]]
                    return refused
            for lock in limits:
                connection.execute("INSERT OR IGNORE INTO locks VALUES (?, ?, ?)", (lock, holder, self._owner.run))
                connection.execute("DELETE FROM queue WHERE lock = ? AND holder = ?", (lock, holder))
        self.waiting_for.pop(node_id, None)
        return None

    def release_node(self, node_id: str) -> None:
        """Give back what a node holds or waits for; cheap for a node that never asked."""
        if node_id in self._mine:
            self._mine.discard(node_id)
            self.waiting_for.pop(node_id, None)
            self._delete([self._holder(node_id)])

    def release_all(self) -> None:
        """Give back everything that the run holds or waits for."""
        found = self._store.rows(
            "SELECT holder FROM locks WHERE run = ? UNION SELECT holder FROM queue WHERE run = ?",
            self._owner.run,
            self._owner.run,
        )
        self._mine.clear()
        if found:
            self._delete([row[0] for row in found])

    def blocked_by_others(self) -> bool:
        """Whether something of this run waits for another run."""
        return any(run != self._owner.run for runs in self.waiting_for.values() for run in runs)

    def blocked_from_outside(self) -> bool:
        """Whether one of those runs is in another process, which gives no sign when it releases a lock."""
        return any(not self._owner.here(run) for runs in self.waiting_for.values() for run in runs)

    def _delete(self, holders: Iterable[str]) -> None:
        with self._store.transaction() as connection:
            for holder in holders:
                connection.execute("DELETE FROM locks WHERE holder = ?", (holder,))
                connection.execute("DELETE FROM queue WHERE holder = ?", (holder,))
        self._owner.released()

    def _holder(self, node_id: str) -> str:
        key = f"{self._owner.namespace}/{self._owner.run}"
        return f"{key}/{node_id}" if node_id else key

    def _holds(self, lock: str, holder: str) -> bool:
        return bool(self._store.rows("SELECT 1 FROM locks WHERE lock = ? AND holder = ?", lock, holder))

    def _holders(self, lock: str) -> list[tuple[Any, ...]]:
        found = self._store.rows("SELECT run, holder FROM locks WHERE lock = ?", lock)
        return [row for row in found if self._alive(row[0])]

    def _front(self, lock: str) -> tuple[Any, ...] | None:
        """Return who is first in a lock's queue: by priority, then by creation of the run."""
        queue = self._store.rows(
            "SELECT run, holder FROM queue WHERE lock = ? ORDER BY priority DESC, created, run, holder", lock
        )
        return next((row for row in queue if self._alive(row[0])), None)

    def _alive(self, run: str) -> bool:
        return run == self._owner.run or self._owner.alive(run)

    def _refused(self, lock: str, holder: str, limit: int) -> Waiting | None:
        holders = self._holders(lock)
        if any(row[1] == holder for row in holders):
            return None
        front = self._front(lock)
        at_front = front is None or (front[0] == self._owner.run and front[1].count("/") == holder.count("/"))
        if at_front and len(holders) < limit:
            return None
        return Waiting(lock=lock, message=f"Waiting for {lock} lock. Lock status: {limit - len(holders)}/{limit}")

    def _limits(self, wanted: Json) -> dict[str, int]:
        """Return the wanted locks by name with how many may hold each."""
        semaphores = [wanted[key] for key in ("semaphore",) if key in wanted] + (wanted.get("semaphores") or [])
        mutexes = [wanted[key] for key in ("mutex",) if key in wanted] + (wanted.get("mutexes") or [])
        names = [self._semaphore(ref) for ref in semaphores] + [(self._mutex(ref), 1) for ref in mutexes]
        if len({name for name, _ in names}) < len(names):
            raise NodeProblem("requested configuration is invalid: duplicate synchronization item found")
        return dict(names)

    def _mutex(self, ref: Json) -> str:
        return f"{ref.get('namespace') or self._owner.namespace}/Mutex/{ref.get('name', '')}"

    def _semaphore(self, ref: Json) -> tuple[str, int]:
        key = ref.get("configMapKeyRef")
        if key is None:
            raise NodeProblem(
                "requested configuration is invalid: "
                "cannot get LockName for a Semaphore without a ConfigMapRef or Database"
            )
        name = f"{ref.get('namespace') or self._owner.namespace}/ConfigMap/{key.get('name', '')}/{key.get('key', '')}"
        data = ((self._objects.config_map(key.get("name", "")) or {}).get("data") or {}).get(key.get("key", ""))
        try:
            limit = int(data or 0)
        except ValueError:
            limit = 0
        if limit == 0:
            raise NodeProblem(f"failed to initialize semaphore {name} with limit")
        return name, limit
