"""Mastery items of the samples."""

from __future__ import annotations

from typing import Any

TITLES = {
    "M01": "Spark Operator through Flux runs a small SparkApplication",
    "M02": "Spark reads an Iceberg table and writes a new one",
    "M03": "Run twice, identical result",
    "M04": "Argo through Flux runs a workflow of three steps",
    "M05": "An Argo step starts Spark by its custom resource",
    "M06": "A CronWorkflow runs the aggregation daily",
    "M07": "A failed step is retried with exponential backoff",
    "M08": "The lineage of a workflow is visible",
    "M09": "dbt runs as a step",
    "M10": "Backfill of a past range, idempotent",
}
_CHECKS = {
    "M02": [("transform-reads-raw", "The curated table's snapshots were made by the transform workflow",
             "21 snapshots of lake.curated.flights carry batchlab.workflow; each names a run of transform."),
            ("curated-is-right", "The curated table agrees with the oracle",
             "All 2,717 rows of 3 partitions equal those that DuckDB computes from the source.")],
    "M03": [("same-content", "A second play leaves every partition with the same content",
             "21 partitions were rewritten; the 128-bit fingerprint of each is what it was."),
            ("no-doubled-effect", "A second play has no second side effect",
             "6 deliveries of 3 keys had 3 effects.")],
    "M05": [("spark-by-crd", "Spark is started by a resource template that waits for the operator's state",
             "7 runs of extract created a SparkApplication and read COMPLETED from its status.")],
    "M06": [("one-run-per-day", "The schedule gives one run per day, the day the clocks change included",
             "3 flight dates, 3 runs; 2013-03-10 (23 hours long) has one.")],
    "M07": [("waits-grow", "The waits between attempts grow by the factor",
             "extract of 2013-03-10 failed twice; attempts 2 and 3 began 2 s and 4 s after the one before ended.")],
    "M08": [("edges-agree", "The drawn edges are those that the runs had",
             "11 edges from events; none missing, none invented.")],
    "M09": [("dbt-tests-ran", "dbt builds the marts and runs their tests",
             "dbt ran 2 models and 14 tests in 7 runs.")],
    "M10": [("shuffled-order", "A backfill in shuffled order gives the same tables",
             "3 days in the order 11, 09, 10: all 21 fingerprints are equal."),
            ("late-day-only", "A late day changes that day and no other",
             "The replay of 2013-03-10 changed 6 partitions, all of that day.")],
}  # fmt: skip


def passing_items() -> dict[str, Any]:
    """Give all items passed, but for the two that need a cluster."""
    items: dict[str, Any] = {}
    for key, title in TITLES.items():
        waiting = key in {"M01", "M04"}
        checks: list[dict[str, Any]] = [
            {"id": f"{key}.{name}", "title": what, "outcome": "pass", "rationale": why, "evidence": {}, "hint": ""}
            for name, what, why in _CHECKS.get(key, [])
        ]
        if waiting:
            checks = [{"id": f"{key}.install", "title": "The controller is installed by Flux", "outcome": "waiting",
                       "rationale": "The manifests are right; that Flux installs them can only be seen on a cluster.",
                       "evidence": None, "hint": "make cluster"}]  # fmt: skip
        items[key] = {"title": title, "outcome": "waiting" if waiting else "pass", "points": 0 if waiting else 10,
                      "max_points": 10, "checks": checks}  # fmt: skip
    items["M03"]["checks"][0]["evidence"] = {
        "expected": "21 fingerprints of the first play", "found": "the same 21 after the second",
        "query": "batchlab fingerprint lake.raw.flights --json",
        "partitions": [f"flight_date=2013-03-{day:02d}" for day in (9, 10, 11)],
    }  # fmt: skip
    return items


def failing_items() -> dict[str, Any]:
    """Give items in which an append in ingest makes M03 fail and M10 be blocked."""
    items = passing_items()
    query = (
        "select carrier, flight, origin, sched_dep_time, count(*) as copies\nfrom lake.raw.flights\n"
        "where flight_date = date '2013-03-10'\ngroup by all\nhaving count(*) > 1\norder by carrier, flight"
    )
    items["M03"] |= {"outcome": "fail", "points": 0}
    items["M03"]["checks"][0] |= {
        "outcome": "fail",
        "rationale": "The second play added rows to lake.raw.flights, flight_date=2013-03-10, that were there already: "
                     "899 keys occur twice.",
        "evidence": {
            "columns": ["carrier", "flight", "origin", "sched_dep_time", "copies"],
            "rows": [["9E", 3325, "JFK", "2013-03-10T19:35:00", 2], ["9E", 3335, "JFK", "2013-03-10T16:10:00", 2],
                     ["AA", 1, "JFK", "2013-03-10T09:00:00", 2], ["B6", 1018, "LGA", None, 2]],
            "query": query, "expected": "899 rows, each key once", "found": "1,798 rows, 899 keys twice",
            "partitions": ["flight_date=2013-03-10"],
        },
        "hint": "An append adds to what a partition holds. Replace the partition in one commit instead: "
                "see overwritePartitions in pipelines/datatier.",
    }  # fmt: skip
    items["M10"] |= {"outcome": "blocked", "points": 0}
    for check in items["M10"]["checks"]:
        check |= {"outcome": "blocked", "rationale": "Needs M03.same-content, which failed."}
    items["M09"] |= {"outcome": "error", "points": 0}
    items["M09"]["checks"][0] |= {"outcome": "error", "rationale": "dbt's run_results.json of the replay is not there."}
    return items
