"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

SUBMISSION = click.option(
    "--submission", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="Run this folder's code, and its manifests where no FILE is named.",
)  # fmt: skip
