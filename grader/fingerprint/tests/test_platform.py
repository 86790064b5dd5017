"""Fingerprints on the real platform: PostgreSQL, the REST catalog, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from click.testing import CliRunner, Result

from grader.cli import cli
from grader.fingerprint.lake import Lake
from grader.fingerprint.relation import digests
from pipelines.local.errors import BadInput
from pipelines.local.platform import Platform
from pipelines.local.state import StateDir

ROWS = """
    (DATE '2013-03-09', 1::SMALLINT, 1.5::DECIMAL(9,2), 0.1::DOUBLE, 'a', TIMESTAMPTZ '2013-03-10 07:03:00Z', true),
    (DATE '2013-03-09', 2::SMALLINT, NULL, 'nan'::DOUBLE, '', TIMESTAMPTZ '2013-03-10 07:03:00.000001Z', false),
    (DATE '2013-03-10', NULL, -3.00::DECIMAL(9,2), '-infinity'::DOUBLE, e'a,"b"\\n\\\\N', NULL, NULL),
    (DATE '2013-03-10', NULL, -3.00::DECIMAL(9,2), 1e300::DOUBLE, '\\N', NULL, NULL)
"""
COLUMNS = "flight_date, number, cost, share, name, moment, sure"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    """A platform with one table in PostgreSQL and the same rows in Iceberg."""
    found = StateDir(root=tmp_path_factory.mktemp("a state") / "home").ensure()
    platform = Platform(found)
    platform.start()
    try:
        with psycopg.connect(platform.endpoints.postgres_dsn) as pg:
            pg.execute("CREATE SCHEMA IF NOT EXISTS reporting")
            pg.execute(
                "CREATE TABLE reporting.tricky (flight_date date, number smallint, cost numeric(12,4), "
                "share double precision, name text, moment timestamptz, sure boolean)"
            )
            values = ROWS.replace("::DOUBLE", "::double precision")
            pg.execute(f"INSERT INTO reporting.tricky ({COLUMNS}) VALUES {values}".encode())
        lake = Lake.open(found)
        rows = lake.con.sql(f"SELECT * FROM (VALUES {ROWS}) t({COLUMNS})").to_arrow_table()
        lake.catalog.create_namespace("raw")
        lake.catalog.create_table("raw.tricky", rows.schema).append(rows)
        yield found
    finally:
        platform.stop()


def command(state: StateDir, *arguments: str) -> Result:
    """Run one command on the state directory."""
    return CliRunner(env={"BATCHLAB_HOME": str(state.root)}).invoke(cli, list(arguments))


def test_same_rows_in_postgresql_iceberg_and_duckdb(state: StateDir) -> None:
    """Values come through COPY unchanged: NULL and empty, quotes, NaN, infinities, microseconds."""
    lake = Lake.open(state)
    iceberg, postgres = lake.fingerprint("lake.raw.tricky"), lake.fingerprint("reporting.tricky")
    memory = digests(lake.con, f"(SELECT * FROM (VALUES {ROWS}) t({COLUMNS}))")
    assert iceberg.total == postgres.total == memory["(all)"]
    assert {name: one.rows for name, one in postgres.partitions.items()} == {
        "flight_date=2013-03-09": 2,
        "flight_date=2013-03-10": 2,
    }


def test_command_prints_one_document(state: StateDir) -> None:
    """The JSON has the contract's shape, and the second call reads no file."""
    command(state, "fingerprint", "raw.tricky")
    found = json.loads(command(state, "fingerprint", "raw.tricky", "--json").stdout)
    assert found["table"] == "lake.raw.tricky"
    assert found["files_read"] == 0
    (partition,) = found["partitions"].values()
    assert partition["rows"] == 4
    plain = command(state, "fingerprint", "reporting.tricky")
    assert "flight_date=2013-03-09" in plain.stdout


def test_diff_of_snapshots(state: StateDir) -> None:
    """Two snapshots of a table are compared by the command, rows shown."""
    table = Lake.open(state).iceberg("raw.tricky")
    before = table.current_snapshot().snapshot_id
    table.append(table.scan().to_arrow().slice(0, 1))
    after = table.refresh().current_snapshot().snapshot_id
    try:
        found = json.loads(
            command(state, "diff", "raw.tricky", "--from", str(before), "--to", str(after), "--json").stdout
        )
        assert found["changed"] == ["(all)"]
        assert len(found["sample"]["added"]) == 1
        assert "changed" in command(state, "diff", "raw.tricky", "--from", str(before), "--to", str(after)).stdout
    finally:
        table.manage_snapshots().set_current_snapshot(snapshot_id=before).commit()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fingerprint", "raw.trikcy"), "there is no table raw.trikcy; there are: lake.raw.tricky, reporting.tricky"),
        *[
            (("fingerprint", name), f"there is no table {name}; there are: lake.raw.tricky")
            for name in ("nope", "lake", "lake.", "a..b", "raw/x.tricky", "../x", "raw.tricky.files", "r w.t;", "ops.x")
        ],
        (("fingerprint", "raw.tricky", "--snapshot", "17"), "has no snapshot 17; its newest are:"),
        (("fingerprint", "reporting.tricky", "--snapshot", "17"), "it has no snapshots"),
        (("diff", "raw.tricky", "--from", "17", "--to", "18"), "has no snapshot 17"),
        (("diff", "reporting.tricky", "--from", "17", "--to", "18"), "it has no snapshots"),
        (("lineage", "raw.nothing"), "there is no table raw.nothing"),
    ],
)
def test_bad_input(state: StateDir, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be answered is refused with what there is."""
    result = command(state, *arguments)
    assert isinstance(result.exception, BadInput)
    assert words in str(result.exception)


def test_lineage_of_nothing(state: StateDir) -> None:
    """Without events there is no graph, and the command says so; snapshots made by hand are untraced."""
    result = command(state, "lineage", "raw.tricky")
    assert "no lineage event tells of this yet" in result.stdout
    assert "its summary has no batchlab.workflow, batchlab.node, batchlab.ds" in result.stdout
    found = json.loads(command(state, "lineage", "--json").stdout)
    assert found["edges"] == []
    assert {"from": "ops.flights", "to": "lake.raw.flights"} in found["missing"]
