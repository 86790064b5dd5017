"""What dbt's own log says of its nodes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from grader.cluster.grading.dbt import parse, results
from grader.submission import reference
from pipelines.local.errors import BadInput

MANIFEST = {
    "nodes": {
        "model.m.carrier_daily": {"name": "carrier_daily", "alias": "carrier_daily", "schema": "marts"},
        "test.m.key.1": {"name": "carrier_daily_key_is_unique", "alias": "key_1", "schema": "audit"},
        "test.m.share.2": {"name": "carrier_daily_share", "schema": "audit"},
    }
}
LOG = """
05:50:09  1 of 3 START sql incremental model marts.carrier_daily ........................ [RUN]
26/11/29 05:50:09 WARN SparkSession: Using an existing Spark session; 3 of 3 FAIL is no line of dbt's.
05:50:10  1 of 3 OK created sql incremental model marts.carrier_daily ................... [OK in 0.59s]
05:50:10  2 of 3 START test carrier_daily_key_is_unique ................................. [RUN]
05:50:10  2 of 3 PASS carrier_daily_key_is_unique ....................................... [PASS in 0.31s]
05:50:11  3 of 3 FAIL 7 carrier_daily_share ............................................. [FAIL 7 in 0.20s]
05:50:11  Done. PASS=2 WARN=0 ERROR=1 SKIP=0 NO-OP=0 TOTAL=3
"""


def test_nodes_and_their_ends() -> None:
    """Models by their relation, tests by their name; what starts has not ended."""
    found = [(one["unique_id"], one["status"]) for one in results(LOG, MANIFEST)]
    assert found == [("model.m.carrier_daily", "success"), ("test.m.key.1", "pass"), ("test.m.share.2", "fail")]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("3 of 3 WARN 2 carrier_daily_share ............ [WARN 2 in 0.20s]", "warn"),
        ("3 of 3 ERROR carrier_daily_share ............. [ERROR in 0.20s]", "error"),
        ("3 of 3 SKIP test carrier_daily_share ......... [SKIP]", "skipped"),
        ("1 of 3 ERROR creating sql incremental model marts.carrier_daily [ERROR in 1.10s]", "error"),
        ("1 of 3 SKIP relation marts.carrier_daily ..... [SKIP]", "skipped"),
    ],
)
def test_every_end(line: str, status: str) -> None:
    """What dbt prints of failures."""
    assert [one["status"] for one in results(f"05:50:11  {line}\n", MANIFEST)] == [status]


def test_the_reference_project_is_parsed(tmp_path: Path) -> None:
    """Real dbt names the nodes that its log will name."""
    manifest = json.loads(parse(reference().dbt, date(2013, 3, 10), tmp_path).read_text(encoding="utf-8"))
    log = "05:50:10  1 of 13 OK created sql incremental model marts.route_daily ....... [OK in 0.59s]\n"
    assert [one["unique_id"].rpartition(".")[2] for one in results(log, manifest)] == ["route_daily"]


def test_a_project_that_dbt_refuses(tmp_path: Path) -> None:
    """The message has dbt's own words, and the folder."""
    (tmp_path / "p").mkdir()
    with pytest.raises(BadInput, match="dbt cannot parse it"):
        parse(tmp_path / "p", date(2013, 3, 10), tmp_path)
