"""`batchlab grade`: grade a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from grader.sample.draw import MOST
from pipelines.local.errors import BadInput
from pipelines.local.preload import LIBRARIES, ForkServer

WORK = Path("work")


@click.command()
@click.argument("item", nargs=-1)
@click.option("--submission", type=click.Path(path_type=Path), help="Folder with a submission.toml (default: work/).")
@click.option("--reference", "of_reference", is_flag=True, help="Grade the reference solution.")
@click.option("--target", type=click.Choice(["local", "cluster"]), default="local", show_default=True, help="Where.")
@click.option("--days", type=click.IntRange(1, 2), help="With --target cluster: play the last day only, or both.")
@click.option("--quick", is_flag=True, help="Leave out the crash and fault tests, and the checks that need them.")
@click.option("--fresh", is_flag=True, help="Play everything, also what was played before with the same content.")
@click.option("--autograde", is_flag=True, help="For instructors: grade somebody else's folder in a box of its own.")
@click.option("--hidden", type=click.Path(path_type=Path), help="With --autograde: folder with further checks.")
@click.option(
    "--seed",
    type=click.IntRange(0, MOST),
    help="Grade on the days that this seed draws (default: the submission's).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def grade(  # noqa: PLR0917 - one for each option
    item: tuple[str, ...],
    submission: Path | None,
    of_reference: bool,
    target: str,
    days: int | None,
    quick: bool,
    fresh: bool,
    autograde: bool,
    hidden: Path | None,
    seed: int | None,
    as_json: bool,
) -> int:
    """Play a submission's pipelines in a sandbox of their own, check what they left, and say what was found.

    ITEM is a mastery item (M03) or a check (M03-keys); all of them by default. What was played before with the same
    code, manifests and inputs is not played again. Your own tables, workflows and files stay as they are.

    On a cluster the submission is pushed and run by Argo and the Spark Operator; the cluster's tables
    and source rows are put back afterwards.

    \b
    Example:
      batchlab grade
      batchlab grade M03 M10 --submission work --json
      batchlab grade --target cluster --days 1
    """  # noqa: D301
    if of_reference and submission is not None:
        raise BadInput("--submission and --reference both say what to grade", remedy="give one of them")
    if hidden is not None and not autograde:
        raise BadInput("hidden checks need a box that they are hidden from", where="--hidden", remedy="add --autograde")
    folder = None if of_reference else submission or WORK
    if target == "cluster":
        if autograde or fresh:
            raise BadInput(
                "a cluster plays everything anew, and is no box", where="--target cluster",
                remedy="leave out --autograde and --fresh",
            )  # fmt: skip
        return _told(_on_cluster(item, folder, quick=quick, days=days, seed=seed), as_json=as_json)
    if days is not None:
        raise BadInput("is for a cluster: here both days are played", where="--days", remedy="leave it out")
    with _steps_libraries(needed=not autograde) as preload:
        from grader.grading.session import Options, run_grade

        options = Options(
            names=item, folder=folder, faults=not quick, fresh=fresh, autograde=autograde, hidden=hidden, seed=seed
        )  # fmt: skip
        document = run_grade(options, preload)
    return _told(document, as_json=as_json)


def _on_cluster(
    item: tuple[str, ...], folder: Path | None, *, quick: bool, days: int | None, seed: int | None
) -> dict[str, Any]:
    from grader.cluster.grading.session import run_on_cluster

    return run_on_cluster(item, folder, faults=not quick, seed=seed, **({} if days is None else {"days": days}))


def _told(document: dict[str, Any], *, as_json: bool) -> int:
    """Print a verdict; gives the exit code."""
    from grader.grading.terminal import show
    from pipelines.local.state import StateDir

    if as_json:
        print(json.dumps(document))
    else:
        show(document, StateDir.locate())
    return 0 if all(one["outcome"] == "pass" for one in document["items"].values()) else 1


@contextmanager
def _steps_libraries(*, needed: bool) -> Iterator[ForkServer | None]:
    """Give a Python that imports the steps' libraries while this one imports the grader; a box has one of its own."""
    if not needed:
        yield None
        return
    with closing(ForkServer(LIBRARIES)) as preload:
        yield preload
