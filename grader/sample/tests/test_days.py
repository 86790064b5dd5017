"""The days that a seed can draw, found in the data."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import duckdb
import pytest

from grader.data.schema import FLIGHTS, TABLES
from grader.data.source import copy_text
from grader.sample.draw import AUTUMN, SPRING, TELLING, digest

_DAYS = """
WITH flown AS (
  SELECT make_date(year, month, day) AS day, count(*) AS flights,
         count(*) FILTER (dep_time IS NULL) AS never_departed,
         count(*) FILTER (dest IN ('SJU', 'BQN', 'PSE', 'STT')) AS to_puerto_rico,
         count(*) FILTER (arr_time < dep_time) AS landed_next_day,
         count(*) FILTER (dep_time < sched_dep_time - 1000) AS departed_next_day,
         count(*) FILTER (dep_time IS NOT NULL AND arr_delay IS NULL) AS never_arrived,
         count(*) FILTER (tailnum IS NULL) AS no_tail,
         count(*) FILTER (origin = 'JFK' AND hour = 8) AS jfk_8,
         count(*) FILTER (origin = 'EWR' AND hour = 17) AS ewr_17,
         count(DISTINCT carrier) AS carriers
  FROM flights GROUP BY ALL),
observed AS (
  SELECT make_date(year, month, day) AS day, count(*) AS observations, count(*) FILTER (wind_gust IS NULL) AS no_gust,
         count(*) FILTER (origin = 'JFK' AND hour = 8) AS at_jfk_8,
         count(*) FILTER (origin = 'EWR' AND hour = 17) AS at_ewr_17
  FROM weather GROUP BY ALL)
SELECT day, flights, never_departed, to_puerto_rico,
       least(never_departed, to_puerto_rico, landed_next_day, never_arrived, no_gust) > 0 AS rows_for_rules,
       least(departed_next_day, no_tail) > 0 AS rows_for_rare_rules,
       least(jfk_8, ewr_17, at_jfk_8, at_ewr_17) > 0 AND observations >= 69 AND carriers >= 14 AS complete
FROM flown JOIN observed USING (day) ORDER BY day
"""


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Ask the package's data about each day of the year."""
    con, folder = duckdb.connect(config={"threads": 1}), tmp_path_factory.mktemp("data")
    for table in [one for one in TABLES if one.name in {"flights", "weather"}]:
        file = folder / f"{table.name}.csv"
        more = ",recorded_at,delivery" if table is FLIGHTS else ""
        file.write_bytes(f"{','.join(table.columns)}{more}\n".encode() + b"".join(copy_text(table)))
        read = f"read_csv('{file}', header=true, nullstr=['NA', ''], sample_size=-1)"
        con.execute(f"CREATE TABLE {table.name} AS SELECT * FROM {read}")
    found = con.execute(_DAYS)
    names = [one[0] for one in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _telling(days: list[dict[str, object]]) -> list[dict[str, str]]:
    """Pick the ordinary days, before the last change of the clocks, that have rows for every rule."""
    return [
        {
            "day": str(one["day"]), "flights": str(one["flights"]),
            "answers": digest([one["flights"], one["never_departed"], one["to_puerto_rico"]]),
        }
        for one in days
        if one["rows_for_rules"] and one["rows_for_rare_rules"] and one["complete"]
        and one["day"] < AUTUMN and one["day"] != SPRING  # type: ignore[operator]
    ]  # fmt: skip


def test_the_list_is_what_the_data_say(days: list[dict[str, object]]) -> None:
    """BATCHLAB_WRITE_DAYS=1 writes it anew."""
    expected = _telling(days)
    if os.environ.get("BATCHLAB_WRITE_DAYS"):
        _write(TELLING, expected)
    with TELLING.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == expected
    assert len(expected) > 100


def test_the_days_on_which_the_clocks_change_have_rows_for_the_rules(days: list[dict[str, object]]) -> None:
    """But for one, which the first day has: nobody failed to arrive on 3 November."""
    changes = [one for one in days if one["day"] in {SPRING, AUTUMN}]
    assert [one["complete"] and one["rows_for_rare_rules"] for one in changes] == [True, True]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["day", "flights", "answers"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
