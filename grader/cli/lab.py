"""`batchlab lab`: JupyterLab on a lab, with the platform running."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.argument("lab", default="0")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=Path("work"), show_default=True,
              help="Your folder.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8888, show_default=True, help="Port; 0: any free one.")
@click.option(
    "--student", envvar="BATCHLAB_STUDENT", help="Your name, in a course that gives each student days of their own."
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab(lab: str, work: Path, port: int, student: str | None, no_browser: bool) -> int:
    """Open JupyterLab on a lab; a lab that you have not begun is begun. Without LAB: the orientation.

    The platform is started first. JupyterLab listens on 127.0.0.1 only, and its address has a token in it. It ends
    with Ctrl-C; the platform goes on running until `batchlab platform stop`.

    \b
    Example:
      batchlab lab
      batchlab lab 3 --no-browser
    """  # noqa: D301
    from grader.course import workplace
    from grader.course.labs import find, labs
    from grader.course.places import program, variables
    from pipelines.local.platform import Platform
    from pipelines.local.state import StateDir

    jupyter = program("course", "jupyter")
    chosen = find(lab, labs())
    place = workplace.copy_of(chosen, work)
    if not place.is_dir():
        place = workplace.start(chosen, work, seed=workplace.own_seed(student))
        _tell(f"{place}: {chosen.title}")
    state = StateDir.locate().ensure()
    Platform(state).start(_tell)
    words = [
        str(jupyter), "lab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={work.resolve()}",
        f"--LabApp.default_url=/lab/tree/{chosen.name}/{chosen.notebook}.ipynb",
    ]  # fmt: skip
    if no_browser or not _has_display():
        words.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Jupyter wants to hear it from whoever works as root
        words.append("--allow-root")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(jupyter, words, variables(state.root, dict(os.environ)))  # noqa: S606 - Ctrl-C and signals are Jupyter's


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
