"""The atomic partition replace of one pipeline turned into an append: the demo must name table, partition and keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT = 1500
APPEND = '''

def stage(frame, table, ds, branch):
    """Append where the original replaces."""
    from pyspark.sql import functions as F

    from pipelines.datatier.branch import on_branch, restart

    restart(frame.sparkSession, table, branch)
    with on_branch(frame.sparkSession, branch):
        rows = frame.select(*[F.col(column.name).cast(column.type) for column in table.columns])
        rows.coalesce(1).writeTo(table.name).append()


def '''


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one file, and the table whose keys it doubles."""

    pipeline: str
    file: str
    old: str
    new: str
    table: str


MUTANTS = (
    Mutant(
        pipeline="ingest's Spark write", file="pipelines/ingest/extract.py", old="\n\ndef ", new=APPEND,
        table="lake.raw.flights",
    ),
    Mutant(
        pipeline="transform's Spark write", file="pipelines/transform/curate.py", old="\n\ndef ", new=APPEND,
        table="lake.curated.flights",
    ),
    Mutant(
        pipeline="dbt's incremental strategy", file="pipelines/transform/dbt/dbt_project.yml",
        old="incremental_strategy: insert_overwrite", new="incremental_strategy: append",
        table="lake.marts.carrier_daily",
    ),
    Mutant(
        pipeline="publish's replace", file="pipelines/publish/replace.py",
        old='    target.execute(f"DELETE FROM {table} WHERE {PARTITION} = %s", (ds.day,))\n', new="",
        table="reporting.carrier_daily",
    ),
)  # fmt: skip


def copy_with(mutant: Mutant, folder: Path) -> Path:
    """Copy the checkout and change one place in it."""
    shutil.copytree(
        ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".git", ".batchlab", "__pycache__", ".*_cache")
    )
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    assert mutant.old in text, f"{mutant.file} has changed: mend this mutant"
    path.write_text(text.replace(mutant.old, mutant.new, 1), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.pipeline for one in MUTANTS])
def test_append_makes_the_demo_fail(mutant: Mutant, tmp_path: Path) -> None:
    """The demo goes on to its checks, fails, and names the table, the partition and the duplicated keys."""
    checkout = copy_with(mutant, tmp_path / "checkout")
    command = [sys.executable, "-c", "from grader.cli import main; main()"]
    env = {**os.environ, "BATCHLAB_HOME": str(tmp_path / "home"), "PYTHONPATH": str(checkout)}
    try:
        done = subprocess.run(
            [*command, "demo", "--days", "2", "--json"],
            cwd=checkout,
            env=env,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        verdict = json.loads(done.stdout)
    finally:
        subprocess.run([*command, "platform", "stop"], cwd=checkout, env=env, check=False, capture_output=True)
    assert verdict["summary"]["outcome"] == "fail"
    assert verdict["summary"]["lines"][0].startswith(f"M03-keys: {mutant.table} flight_date=2013-03-")
    (keys,) = [check for check in verdict["items"]["M03"]["checks"] if check["id"] == "M03-keys"]
    assert keys["outcome"] == "fail"
    assert "carrier" in keys["evidence"]["columns"]
    assert all(row[-1] == 2 for row in keys["evidence"]["rows"])
    assert keys["evidence"]["rows"]
    assert f"{mutant.table} flight_date=2013-03-09" in keys["evidence"]["partitions"]
