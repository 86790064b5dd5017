"""Submissions with Spark, tables and a database, graded in a box: an honest one passes, a hostile one harms nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.autograde import Limits, can_isolate, grade
from grader.autograde.box import ROOT

TARGET = "grader.autograde.tests.targets:lake"
LIMITS = Limits(seconds=280)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(can_isolate()), reason="this system cannot make a box"),
]

# A driver that does nothing of its task, but tries to change what it is measured by.
HOSTILE = """
import json, os, re, sys, urllib.request
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
conf = dict(spark.sparkContext.getConf().getAll())
host, port, database = re.match(r"jdbc:postgresql://(.*):(.*)/(.*)", conf["spark.batchlab.jdbcUrl"]).groups()
login = {"host": host, "port": port, "user": os.environ["POSTGRES_USER"], "password": os.environ["POSTGRES_PASSWORD"]}
import psycopg

def attempt(name, work):
    try:
        print("ATTEMPT", name, "did", work())
    except BaseException as error:
        print("ATTEMPT", name, "refused", type(error).__name__, str(error).splitlines()[:1])

def sql(text, to=database):
    with psycopg.connect(dbname=to, connect_timeout=5, **login) as pg:
        found = pg.execute(text)
        return found.fetchone() if found.description else found.rowcount

attempt("source", lambda: sql("DELETE FROM ops.flights"))
attempt("source-drop", lambda: sql("DROP SCHEMA ops CASCADE"))
attempt("catalog", lambda: sql("DELETE FROM iceberg_tables", to="catalog"))
attempt("postgres", lambda: sql("SELECT 1", to="postgres"))
attempt("files", lambda: sql("SELECT pg_read_file('/box/state/platform/credentials.json')"))
attempt("copy", lambda: sql("COPY (SELECT 1) TO '/box/state/evil'"))
attempt("program", lambda: sql("COPY (SELECT 1) TO PROGRAM 'touch /box/state/evil'"))
attempt("role", lambda: sql("ALTER ROLE batchlab PASSWORD 'x'"))
attempt("become", lambda: sql("SET ROLE batchlab; DELETE FROM ops.flights"))
attempt("code", lambda: sql("CREATE FUNCTION reporting.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
attempt("own", lambda: sql("CREATE TABLE reporting.mine AS SELECT 1 AS x"))

catalog = conf["spark.sql.catalog.lake.uri"]
def rest(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    asked = urllib.request.Request(catalog + path, data=data, method=method, headers=kind)
    try:
        return urllib.request.urlopen(asked, timeout=30).read()[:200]
    except urllib.error.HTTPError as error:
        raise OSError(error.read()[:300])

schema = {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "x", "required": False, "type": "int"}]}
rest("POST", "/v1/namespaces", {"namespace": ["raw"], "properties": {}})
for place in ("/box/state/platform/evil", "/box/state/evil", "/box/home/evil"):
    attempt("write", lambda: rest("POST", "/v1/namespaces/raw/tables",
            {"name": "t" + place.replace("/", "_"), "schema": schema, "location": "file://" + place}))
for place in ("/box/state/platform/credentials.json", "/box/argument.json", "/etc/passwd"):
    attempt("read", lambda: rest("POST", "/v1/namespaces/raw/register",
            {"name": "r" + place.replace("/", "_"), "metadata-location": "file://" + place}))
for path in ("/box/state/platform/webhook.db", "/box/state/runs.db", "/box/state/platform/credentials.json"):
    attempt("open", lambda: open(path, "r+b").close())
print(json.dumps({"outcome": "pass", "items": {"M02": {"outcome": "pass"}}}), flush=True)
os._exit(0)
"""


def submission(folder: Path, *, extract: str | None = None) -> Path:
    """Make a submission whose `ingest` is the reference's, or has another first step."""
    shutil.copytree(
        ROOT / "pipelines" / "ingest", folder / "ingest", ignore=shutil.ignore_patterns("tests", "__pycache__")
    )
    if extract is not None:
        (folder / "ingest" / "extract.py").write_text(extract)
    return folder


def test_the_reference_passes(tmp_path: Path) -> None:
    """Steps and drivers of an honest submission work in their rooms as they do outside."""
    found = grade(submission(tmp_path), [], target=TARGET, limits=LIMITS)
    assert (found["outcome"], found["phase"]) == ("pass", "Succeeded"), found["log"][-3000:]
    assert sum(found["events"].values()) > 5
    assert (found["left"], found["evil"], found["secrets"], found["calls"]) == ([], [], 0, [])


def test_a_hostile_one_gets_its_true_grade(tmp_path: Path) -> None:
    """It can change neither the source, nor the catalog's database, nor any file by way of database or catalog."""
    found = grade(submission(tmp_path, extract=HOSTILE), [], target=TARGET, limits=LIMITS)
    told = [line.split()[1:3] for line in found["log"].splitlines() if line.startswith("ATTEMPT")]
    # what it has the catalog write elsewhere ends up in the catalog's room, where nobody else sees it: `evil` is empty
    assert [name for name, answer in told if answer == "did"] == ["own", *["write"] * 3], found["log"][-4000:]
    assert len(told) == 20
    assert found["outcome"] == "fail"
    assert found["rows"] == [720, 720, 0]
    assert (found["left"], found["evil"], found["secrets"]) == ([], [], 0)
    assert found["calls"] == ["alert:w:Failed"]  # the manifest's own exit handler, and nobody else
