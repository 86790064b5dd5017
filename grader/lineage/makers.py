"""Which workflow node a run event belongs to, by the name and id of its parent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
"""A workflow run as `batchlab run --json` prints it: `name`, `phase`, `nodes`; and `uid`, `template` where known."""

_ATTEMPT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True, kw_only=True)
class Maker:
    """The workflow node whose run made an edge; both empty where no event named a parent."""

    workflow: str
    node: str

    @property
    def job(self) -> str:
        """`<workflow>.<node>`."""
        return f"{self.workflow}.{self.node}" if self.workflow else ""


def maker_of(parent: str, known: Sequence[str]) -> Maker:
    """Split `<workflow>.<node>`; a node's full name, which begins with the workflow's, loses that.

    Args:
        parent: name of the parent job.
        known: names of workflow runs, longest first.
    """
    workflow = workflow_of(parent, known)
    if workflow is None:
        workflow = parent.partition(".")[0]
    node = parent[len(workflow) :].removeprefix(".")
    return Maker(workflow=workflow, node=node.removeprefix(f"{workflow}."))


def workflow_of(parent: str, known: Sequence[str]) -> str | None:
    """Find the workflow run that a parent job's name begins with; names are given longest first."""
    return next((name for name in known if parent == name or parent.startswith(f"{name}.")), None)


def short_job(node: str) -> str:
    """Shorten a node's name to what it is within any run: `ingest.extract`, without run name and attempt."""
    return ".".join(part.partition("(")[0] for part in node.split(".") if part)


def step_of(workflow: str, node: str) -> str:
    """Shorten a node's full name to the step that it is in its run: `ingest.extract`."""
    return short_job(node.removeprefix(f"{workflow}."))


def find_nodes(run: Document, node: str) -> Sequence[Document]:
    """Find a run's nodes by id, full name, display name, or name below the run."""
    full = f"{run.get('name', '')}.{node}"
    return [
        one
        for one in (run.get("nodes") or {}).values()
        if node in {one.get("id"), one.get("name"), one.get("displayName")} or one.get("name") == full
    ]


def steps_of(run: Document, node: str) -> frozenset[str]:
    """Name the steps of a run that a node's name may mean, whatever it is called by; attempts are their step."""
    prefix = f"{run.get('name', '')}."
    names = {str(one.get("name", "")) for one in find_nodes(run, node)} or {node}
    return frozenset(_ATTEMPT.sub("", name).removeprefix(prefix) for name in names)


def succeeded(run: Document, node: str) -> bool:
    """Say whether a node of a run ended well: one of the nodes of that name did."""
    return any(one.get("phase") == "Succeeded" for one in find_nodes(run, node))


def parameter(run: Document, node: str, name: str) -> str:
    """Give an input parameter of a node; empty where it has none of that name."""
    for one in find_nodes(run, node):
        for given in (one.get("inputs") or {}).get("parameters") or ():
            if given.get("name") == name and given.get("value") is not None:
                return str(given["value"])
    return ""


def template_of(run: Document, node: str) -> str:
    """Name the WorkflowTemplate that a node's template comes from; empty where the run does not say."""
    for one in find_nodes(run, node):
        scope, _, name = str(one.get("templateScope") or "").partition("/")
        if scope == "namespaced" and name:
            return name
    return str(run.get("template") or "")
