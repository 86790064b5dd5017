"""The frame of the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from grader.cli import COMMANDS, cli

BATCHLAB = str(Path(sys.executable).with_name("batchlab"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    """Each command in the table can be imported, and its help, and that of its own commands, has an example."""
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    inner = list(command.commands.values()) if isinstance(command, click.Group) else []
    for each in [command, *inner]:
        assert "Example" in each.get_help(click.Context(each)), each.name


def test_wrong_usage_exits_2() -> None:
    """An unknown command or option: one message, exit 2, no traceback."""
    for words in (["nonsense"], ["doctor", "--nonsense"]):
        done = subprocess.run([BATCHLAB, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


def test_help_imports_nothing_heavy() -> None:
    """`batchlab --help` answers without Spark, pyiceberg or DuckDB."""
    program = "import sys; from grader.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    program += "print(sorted({'pyspark','pyiceberg','duckdb','dbt','pyarrow'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
