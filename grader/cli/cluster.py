"""`batchlab cluster`: a real cluster with the same pipelines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import click

from grader.cli._cluster_backfill import backfill
from grader.cli._cluster_looks import compare, status
from grader.cluster import deploy, lake, remove, waiting
from grader.cluster.place import Place, choose, load
from pipelines.local.state import StateDir

PATIENCE = 900


@click.group()
def cluster() -> None:
    """A real cluster: kind on this machine, or an existing one, with everything on it brought by Flux.

    \b
    Example:
      batchlab cluster up
    """  # noqa: D301


@cluster.command()
@click.option("--existing", is_flag=True, help="Use the cluster that KUBECONFIG names, make none.")
@click.option(
    "--registry",
    help="With --existing: HOST:PORT of a plain-HTTP registry, or HERE=THERE where the cluster sees another.",
)
@click.option("--overlay", type=click.Choice(["local", "offline"]), help="What of cluster/clusters is applied.")
@click.option("--builder", help="Program that builds and pushes images in Docker's place: PROGRAM NAME:TAG CONTEXT.")
@click.option(
    "--nodes", type=click.Choice(["1", "3"]), default="1", show_default=True, help="Nodes of a new kind cluster."
)
@click.option(
    "--timeout", type=click.IntRange(30), default=PATIENCE, show_default=True, help="Seconds to wait for Flux."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def up(
    *,
    existing: bool,
    registry: str | None,
    overlay: str | None,
    builder: str | None,
    nodes: str,
    timeout: int,
    as_json: bool,
) -> int:
    """Make the cluster where there is none, push this checkout to it, and wait until Flux has applied it.

    Run it again after a failure, or a change: it goes on from what is there.

    \b
    Example:
      batchlab cluster up
      KUBECONFIG=my.kubeconfig batchlab cluster up --existing --registry registry.example:5000
    """  # noqa: D301
    begun = time.monotonic()
    state = StateDir.locate().ensure()
    place = choose(state, existing=existing, registry=registry, overlay=overlay, builder=builder)
    place = deploy.prepare(state, place, nodes=int(nodes), say=_say)
    pushed = deploy.push(place, _folders(None)[0], _say)
    left = waiting.wait(place.kubectl, _say, patience=timeout, digest=pushed.digest)
    seconds = round(time.monotonic() - begun)
    if as_json:
        shown = [asdict(each) for each in left]
        click.echo(
            json.dumps({"ready": not left, "seconds": seconds, "settings": dict(pushed.settings), "waitingFor": shown})
        )
    if left:
        _explain(place, left)
        return 1
    _say(f"everything is Ready after {seconds} s")
    if not as_json:
        for name, where in deploy.urls(place):
            click.echo(f"{name:26} {where}")
    return 0


@cluster.command()
@click.option(
    "--submission", type=click.Path(path_type=Path), help="Push a folder's pipelines in place of the reference's."
)
@click.option(
    "--timeout", type=click.IntRange(5), default=PATIENCE, show_default=True, help="Seconds to wait for Flux."
)
@click.option("--no-wait", is_flag=True, help="Do not wait until Flux has applied it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def push(submission: Path | None, timeout: int, no_wait: bool, as_json: bool) -> int:
    """Roll code and manifests out: a layer on top of the image of dependencies, a new tree for Flux.

    \b
    Example:
      batchlab cluster push --submission work
    """  # noqa: D301
    place = load(StateDir.locate())
    place.kubectl.reachable()
    begun = time.monotonic()
    folders, apps = _folders(submission)
    pushed = deploy.push(place, folders, _say, apps=apps)
    left = [] if no_wait else waiting.wait(place.kubectl, _say, patience=timeout, digest=pushed.digest)
    if as_json:
        click.echo(
            json.dumps(
                {"ready": not left, "seconds": round(time.monotonic() - begun, 1), "settings": dict(pushed.settings)}
            )
        )
    if left:
        _explain(place, left)
        return 1
    if not as_json:
        done = "pushed" if no_wait else "rolled out"
        click.echo(f"{pushed.settings['image']} is {done} after {time.monotonic() - begun:.0f} s")
    return 0


@cluster.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--export", type=click.Path(path_type=Path), help="First write every table to this folder, as Parquet.")
def down(yes: bool, export: Path | None) -> int:
    """Delete the kind cluster, or take from an existing one what `up` put there.

    \b
    Example:
      batchlab cluster down --export tables
    """  # noqa: D301
    state = StateDir.locate()
    place = load(state)
    if export is not None:
        lake.export(place.kubectl, export, _say)
    what = "the kind cluster batchlab and its registry" if place.kind else "everything that `up` put on the cluster"
    click.echo(f"This deletes {what}, and with it:", err=True)
    for each in remove.losses(place) or ["nothing that cannot be made again"]:
        click.echo(f"  {each}", err=True)
    if export is None:
        click.echo("`--export DIR` writes every table to Parquet files first.", err=True)
    if not yes and not click.confirm("Go on?", err=True):
        click.echo("nothing was changed", err=True)
        return 1
    remove.remove(state, place, _say)
    click.echo("gone")
    return 0


cluster.add_command(status)
cluster.add_command(compare)
cluster.add_command(backfill)


def _folders(submission: Path | None) -> tuple[dict[str, Path], dict[str, Path]]:
    """Give what an image is made of, and the manifests that a submission brings."""
    from grader.submission import read, reference

    if submission is None:
        return reference().folders(), {}
    given = read(submission)
    return given.folders(), {name: one.manifest for name, one in given.pipelines.items() if one.own}


def _explain(place: Place, left: list[waiting.State]) -> None:
    click.echo("\nFlux still waits for:", err=True)
    for each in left:
        click.echo(f"  {each.title}: {each.reason}: {each.message}", err=True)
    for text in waiting.troubles(place.kubectl):
        click.echo(f"  {text}", err=True)
    click.echo("`batchlab cluster status` shows this again; `batchlab cluster up` goes on.", err=True)


def _say(text: str) -> None:
    click.echo(text, err=True)
