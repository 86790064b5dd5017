"""The `batchlab` command line: one small module per command, imported only when used."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from pipelines.local.errors import BadInput

# command → module:attribute, in the order in which `batchlab --help` lists them
COMMANDS: dict[str, str] = {
    "doctor": "grader.cli.doctor:doctor",
    "demo": "grader.cli.demo:demo",
    "platform": "grader.cli.platform:platform",
    "cluster": "grader.cli.cluster:cluster",
    "data": "grader.cli.data:data",
    "run": "grader.cli.run:run",
    "resume": "grader.cli.resume:resume",
    "runs": "grader.cli.runs:runs",
    "lint": "grader.cli.lint:lint",
    "flux": "grader.cli.flux:flux",
    "cron": "grader.cli.cron:cron",
    "backfill": "grader.cli.backfill:backfill",
    "explain": "grader.cli.explain:explain",
    "fingerprint": "grader.cli.fingerprint:fingerprint",
    "diff": "grader.cli.diff:diff",
    "lineage": "grader.cli.lineage:lineage",
    "taint": "grader.cli.taint:taint",
    "sql": "grader.cli.sql:sql",
    "draw": "grader.cli.draw:draw",
    "lab": "grader.cli.lab:lab",
    "start": "grader.cli.start:start",
    "reset": "grader.cli.reset:reset",
    "render": "grader.cli.render:render",
    "grade": "grader.cli.grade:grade",
    "hint": "grader.cli.hint:hint",
    "watch": "grader.cli.watch:watch",
    "progress": "grader.cli.progress:progress",
    "dagster": "grader.cli.dagster:dagster",
    "reference": "grader.cli.reference:reference",
    "prove": "grader.cli.prove:prove",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, or None where the table has no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="batchlab")
def cli() -> None:
    """Run Argo workflows with Spark, Iceberg and dbt on this machine, and prove what they did.

    \b
    Example:
      batchlab doctor
      batchlab run hello.yaml
    """  # noqa: D301


def main(argv: list[str] | None = None) -> None:
    """Run the command line; exit 0 done, 1 failed, 2 bad input (one line on stderr), 130 interrupted.

    Args:
        argv: the words; those of this process by default, which is then ended.
    """
    code = _run(argv)
    if argv is None and "duckdb" in sys.modules:
        from pipelines.local.preload.interpreter import end

        end(code)  # taken apart as usual, DuckDB lists on stderr whatever of it is still referred to
    sys.exit(code)


def _run(argv: list[str] | None) -> int:
    try:
        result: Any = cli.main(args=argv, prog_name="batchlab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BadInput as error:
        print(f"batchlab: {error}", file=sys.stderr)
        if os.environ.get("BATCHLAB_DEBUG"):
            raise
        return 2
    except (click.Abort, KeyboardInterrupt):
        print("batchlab: interrupted", file=sys.stderr)
        return 130
    return result if isinstance(result, int) else 0
