"""`batchlab prove`: prove the grader with wrong and right solutions."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from grader.sample.draw import MOST
from pipelines.local.errors import BadInput


@click.command()
@click.argument("case", nargs=-1)
@click.option("--shard", metavar="K/N", help="Only every N-th case, counted from the K-th.")
@click.option("--fresh", is_flag=True, help="Prove again what was proven with the same grader and solution.")
@click.option("--repeat", type=click.IntRange(1), default=1, help="Grade each case so often, played anew each time.")
@click.option("--seed", type=click.IntRange(0, MOST), default=0, help="On the days that this seed draws.")
@click.option("--list", "only_list", is_flag=True, help="Only list the cases.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the kill matrix to this Markdown file, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def prove(  # noqa: PLR0917 - one for each option
    case: tuple[str, ...],
    shard: str | None,
    fresh: bool,
    repeat: int,
    seed: int,
    only_list: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Grade mutants, which must fail by the intended check, and variants, which must pass; print the kill matrix.

    CASE is a case's id, or the beginning of several; all of them by default. Interrupted and started again, it goes on.

    \b
    Example:
      batchlab prove ingest-
      batchlab prove --shard 1/8
      batchlab prove --seed 7 ingest-append ingest-merge
    """  # noqa: D301
    from grader.demo.display import Display
    from grader.demo.journal import only_one
    from grader.grading.session import grading_state
    from grader.prove.cases import CASES
    from grader.prove.matrix import markdown
    from grader.prove.model import Case
    from grader.prove.prove import Prover, Verdict, document
    from grader.prove.prove import shard as shard_of
    from pipelines.local.preload import LIBRARIES, ForkServer
    from pipelines.local.state import StateDir

    chosen = [one for one in CASES if not case or any(one.id.startswith(name) for name in case)]
    if not chosen:
        raise BadInput(
            f"no case begins with {', '.join(case)}", where="CASE", remedy="list them: batchlab prove --list"
        )
    if shard:
        number, of = _shard(shard)
        chosen = shard_of(chosen, number, of)
    if only_list:
        for one in chosen:
            click.echo(f"{one.id:32} {one.kind:8} {one.check or 'all pass':18} {one.title}")
        return 0
    home = StateDir.locate().ensure()
    state = grading_state(home, seed)  # before the lock in it: a folder without a version is an older kit's
    display = Display(home.logs / "prove.log")

    def told(one: Case, verdict: Verdict) -> None:
        mark = "✓" if verdict.right else "✗"
        display.say(f"{mark} {one.id:32} {one.check or 'all pass':18} {verdict.seconds:6.1f} s  {verdict.why[:140]}")

    try:
        lock = only_one(state.root / "grade", what="a grading")
        with lock, closing(ForkServer(LIBRARIES)) as preload:
            prover = Prover(home=home, display=display, preload=preload, fresh=fresh, repeat=repeat, seed=seed)
            verdicts = prover.prove(chosen, told)
    finally:
        display.close()
    text = markdown(chosen, verdicts)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    click.echo(json.dumps(document(verdicts, chosen)) if as_json else text)
    return 0 if all(one.right for one in verdicts) else 1


def _shard(text: str) -> tuple[int, int]:
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise BadInput(f"'{text}' is no shard", where="--shard", remedy="write it as 2/8")
    return int(number), int(of)
