"""What the checks of M01 and M04 share: verdicts on a tree, and the runs of its small workloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.flux.errors import Unsupported
from grader.flux.install import Flaw, name_flaws, source_flaws
from grader.flux.objects import Rendered, Tree
from grader.flux.schemas import problems, unknown
from grader.flux.tree import load
from grader.flux.workloads import Hello, hello_workflows
from pipelines.local.errors import BadInput

TREE_HINTS = (
    "Flux applies all of a Kustomization or nothing: one object that the API server refuses keeps the others away.",
    "The message has the file and the line; `kubectl explain KIND.spec` lists the fields that there are.",
    "python -m grader.flux FOLDER prints every object as Flux would apply it, and everything that is wrong with it.",
)
REFUSED = "not started: "
"""What the message of a run begins with that this machine refused."""
_COLUMNS = ("where", "what", "expected", "found")


def tree_of(probe: Probe) -> Tree:
    """Render the submission's tree.

    Raises:
        Failure: it cannot be built.
        Unsupported: the renderer does not do something; that says nothing about the tree.
    """
    try:
        return load(probe.flux())
    except Unsupported:
        raise
    except BadInput as error:
        evidence = Evidence(
            columns=("where", "what"), rows=[(error.where, error.what)], expected="a tree that kustomize builds",
            found=str(error), query=query(probe),
        )  # fmt: skip
        raise Failure(f"the tree cannot be built: {error}", evidence=evidence, hints=TREE_HINTS) from error


def query(probe: Probe) -> str:
    """Give a command that shows the rendered tree."""
    return f"python -m grader.flux {probe.flux()}"


def builds(probe: Probe) -> Passed:
    """Judge a tree by itself: it builds, and the API server takes every object.

    Raises:
        Failure: it does not.
    """
    tree = tree_of(probe)
    flaws = [
        Flaw(what=f"{each.object.title}: {each.path}: {each.message}", where=each.where, found=each.message)
        for each in problems(tree)
    ]
    refuse([*flaws, *name_flaws(tree), *source_flaws(tree)], probe)
    rows = [(layer.title, len(layer.objects), _comes_from(tree, layer.folder)) for layer in tree.layers]
    strange = [each.title for each in unknown(tree)]
    note = f"; no schema of {', '.join(strange)} is known here" if strange else ""
    return Passed(
        f"{len(tree.objects)} objects in {len(tree.layers)} layers fit their schemas{note}",
        Evidence(columns=("layer", "objects", "from"), rows=rows, query=query(probe)),
    )


def _comes_from(tree: Tree, folder: object) -> str:
    if folder is None:
        return ""
    return str(folder).removeprefix(f"{tree.root}/")


def refuse(flaws: Sequence[Flaw], probe: Probe) -> None:
    """Fail over what was found, if anything was.

    Raises:
        Failure: with the first flaw as its sentence, and all as rows.
    """
    if not flaws:
        return
    first = flaws[0]
    place = f"{first.where}: " if first.where else ""
    rows = [(each.where, each.what, each.expected, each.found) for each in flaws]
    raise Failure(
        f"{place}{first.what}",
        evidence=Evidence(
            columns=_COLUMNS, rows=rows, expected=first.expected, found=first.found, query=query(probe)
        ),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A small workload and its run here; None where it has none."""

    hello: Hello
    run: Run | None

    @property
    def phase(self) -> str:
        """Phase of the run, for people."""
        return self.run.phase if self.run else "did not run"


def ran(probe: Probe, tree: Tree, *kinds: str) -> list[Ran]:
    """Give the small workloads of some kinds with their runs."""
    runs = {run.name: run for run in probe.hello_runs()}
    return [Ran(hello=each, run=runs.get(each.name)) for each in hello_workflows(tree) if each.of.kind in kinds]


def run_flaws(found: Sequence[Ran], wanted: str) -> list[Flaw]:
    """Find runs that did not end as they should.

    Raises:
        Unsupported: this machine refused to start one; that says nothing about what a cluster makes of it.
    """
    flaws = []
    for each in found:
        if each.phase == "Succeeded":
            continue
        message = str(each.run.document.get("message") or "") if each.run else ""
        if message.startswith(REFUSED):
            raise Unsupported(f"{each.hello.of.title} was {message}", where=each.hello.of.at())
        flaws.append(
            Flaw(
                what=f"{each.hello.of.title} ended {each.phase} here{': ' * bool(message)}{message}"
                if each.run
                else f"{each.hello.of.title} did not run here",
                where=each.hello.of.at(), expected=wanted, found=f"{each.phase} {message}".strip(),
            )
        )  # fmt: skip
    return flaws


def missing(kind: str, probe: Probe, wanted: str) -> Failure:
    """Make the failure of a tree that has no object of a kind."""
    evidence = Evidence(expected=wanted, found="none", query=query(probe))
    return Failure(f"there is no {kind} in the tree", evidence=evidence)


def row(each: Rendered) -> tuple[str, str]:
    """Name an object and where it is written."""
    return each.title, each.at()
