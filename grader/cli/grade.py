"""`batchlab grade`: grade a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from pipelines.local.errors import BadInput
from pipelines.local.preload import LIBRARIES, ForkServer

WORK = Path("work")


@click.command()
@click.argument("item", nargs=-1)
@click.option("--submission", type=click.Path(path_type=Path), help="Folder with a submission.toml (default: work/).")
@click.option("--reference", "of_reference", is_flag=True, help="Grade the reference solution.")
@click.option("--target", type=click.Choice(["local", "cluster"]), default="local", show_default=True, help="Where.")
@click.option("--quick", is_flag=True, help="Leave out the crash and fault tests, and the checks that need them.")
@click.option("--fresh", is_flag=True, help="Play everything, also what was played before with the same content.")
@click.option("--autograde", is_flag=True, help="For instructors: grade somebody else's folder in a box of its own.")
@click.option("--hidden", type=click.Path(path_type=Path), help="With --autograde: folder with further checks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def grade(  # noqa: PLR0917 - one for each option
    item: tuple[str, ...],
    submission: Path | None,
    of_reference: bool,
    target: str,
    quick: bool,
    fresh: bool,
    autograde: bool,
    hidden: Path | None,
    as_json: bool,
) -> int:
    """Play a submission's pipelines in a sandbox of their own, check what they left, and say what was found.

    ITEM is a mastery item (M03) or a check (M03-keys); all of them by default. What was played before with the same
    code, manifests and inputs is not played again. Your own tables, workflows and files stay as they are.

    \b
    Example:
      batchlab grade
      batchlab grade M03 M10 --submission work --json
    """  # noqa: D301
    if target == "cluster":
        raise BadInput(
            "there is no cluster to grade on",
            where="--target cluster",
            remedy="grade here: --target local, the default",
        )
    if of_reference and submission is not None:
        raise BadInput("--submission and --reference both say what to grade", remedy="give one of them")
    if hidden is not None and not autograde:
        raise BadInput("hidden checks need a box that they are hidden from", where="--hidden", remedy="add --autograde")
    with _steps_libraries(needed=not autograde) as preload:
        from grader.grading.session import Options, run_grade
        from grader.grading.terminal import show
        from pipelines.local.state import StateDir

        options = Options(
            names=item, folder=None if of_reference else submission or WORK, faults=not quick, fresh=fresh,
            autograde=autograde, hidden=hidden,
        )  # fmt: skip
        document = run_grade(options, preload)
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
