"""Whether run events name the workflow node that they belong to, by its name and by an id derived from it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from grader.lineage.executions import Execution
from grader.lineage.makers import Document, find_nodes, steps_of

_HASHES = ("sha1", "sha256", "md5")
_BETWEEN = ("/", ".", "-", ":", "")


@dataclass(frozen=True, kw_only=True)
class Stray:
    """An execution whose parent is not the workflow node that ran it, as far as can be seen.

    Args:
        job: the execution's job.
        target: a dataset that it wrote.
        parent: the parent's name, as the event says it.
        parent_run: the parent's run id, as the event says it.
        problem: what is wrong, in words.
    """

    job: str
    target: str
    parent: str
    parent_run: str
    problem: str

    def as_json(self) -> dict[str, str]:
        """Give its fields."""
        return {key: str(value) for key, value in asdict(self).items()}


def strays(done: Sequence[Execution], runs: Mapping[str, Document], targets: Iterable[str]) -> tuple[Stray, ...]:
    """Find executions that wrote one of some datasets, and do not say which node of which run they belong to.

    A parent's run id is a UUID, the same for all that a node runs, and no other node's. Where the run's uid is known,
    it must also be derived from that and the node, as the manifests do it: the first 32 digits of SHA-1 over
    `<uid>/<node name>`; other hashes, separators and the node's id are taken too.

    Args:
        done: executions.
        runs: workflow runs by name.
        targets: the datasets whose writing is judged.
    """
    judged = frozenset(targets)
    mine = [(one, target) for one in done for target in one.writes if target in judged]
    owners = _owners(one for one, _ in mine)
    found = [
        Stray(job=one.job, target=target, parent=one.parent, parent_run=one.parent_run, problem=problem)
        for one, target in mine
        if (problem := _name_problem(one, runs) or _id_problem(one, runs, owners))
    ]
    return tuple(dict.fromkeys(found))


def _owners(done: Iterable[Execution]) -> dict[str, set[str]]:
    """Give the parents' names by run id."""
    found: dict[str, set[str]] = {}
    for one in done:
        found.setdefault(one.parent_run, set()).add(one.parent)
    return found


def _name_problem(one: Execution, runs: Mapping[str, Document]) -> str:
    if one.maker is None:
        return "its events name no parent"
    run = runs.get(one.maker.workflow)
    if run is None:
        return f"no run is called {one.maker.workflow}"
    if not find_nodes(run, one.maker.node):
        return f"run {one.maker.workflow} has no node {one.maker.node}"
    return ""


def _id_problem(one: Execution, runs: Mapping[str, Document], owners: Mapping[str, set[str]]) -> str:
    assert one.maker is not None
    try:
        given = uuid.UUID(one.parent_run)
    except ValueError:
        return "its parent's run id is no UUID"
    others = sorted(owners[one.parent_run] - {one.parent})
    if others:
        return f"its parent's run id is also that of {others[0]}"
    run = runs[one.maker.workflow]
    uid = str(run.get("uid") or (run.get("metadata") or {}).get("uid") or "")
    if uid and not any(_alike(given, one) for one in _derived(run, uid, one.maker.node)):
        return "its parent's run id is not derived from the workflow's uid and the node"
    return ""


def _derived(run: Document, uid: str, node: str) -> Iterator[str]:
    """Give the ids that may be derived from a workflow's uid and a node, as 32 hexadecimal digits or more."""
    names = {f"{run.get('name', '')}.{step}" for step in steps_of(run, node)} | set(steps_of(run, node))
    for found in find_nodes(run, node):
        names |= {str(found.get(key, "")) for key in ("id", "name", "displayName")}
    for name in sorted(names):
        for between in _BETWEEN:
            text = f"{uid}{between}{name}"
            yield from (hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest() for kind in _HASHES)
            yield from (uuid.uuid5(space, text).hex for space in (uuid.NAMESPACE_URL, uuid.NAMESPACE_OID))
        yield from (made.hex for made in _named(uid, name))


def _named(uid: str, name: str) -> Iterator[uuid.UUID]:
    try:
        space = uuid.UUID(uid)
    except ValueError:
        return
    yield uuid.uuid5(space, name)
    yield uuid.uuid3(space, name)


def _alike(given: uuid.UUID, digits: str) -> bool:
    """Compare all digits but the two that say a UUID's version and variant."""
    mine = given.hex
    return all(mine[at] == digits[at] for at in range(32) if at not in {12, 16})
