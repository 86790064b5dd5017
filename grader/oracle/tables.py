"""What `pipelines/DATA.md` says of every table: key, columns and Iceberg types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PARTITION = "flight_date"

_WEATHER = {
    "temp": "decimal(6, 2)", "dewp": "decimal(6, 2)", "humid": "decimal(6, 2)", "wind_dir": "int",
    "wind_speed": "decimal(9, 5)", "wind_gust": "decimal(9, 5)", "precip": "decimal(6, 2)",
    "pressure": "decimal(6, 2)", "visib": "decimal(6, 2)",
}  # fmt: skip
_MEASURES = {
    "scheduled_flights": "long", "completed_flights": "long", "cancelled_flights": "long", "diverted_flights": "long",
    "dep_delay_minutes": "long", "arr_delay_minutes": "long", "avg_dep_delay": "decimal(9, 2)",
    "avg_arr_delay": "decimal(9, 2)", "max_arr_delay": "int", "late_arrivals": "long", "on_time_rate": "decimal(5, 4)",
    "weather_missing_flights": "long", "distance_miles": "long",
}  # fmt: skip
_FLIGHT_KEY = ("flight_date", "carrier", "flight", "origin")


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """One table of the specification.

    Args:
        name: `lake.raw.flights`.
        answer: file of `sql/`, and table of the schema `oracle`, that computes it.
        key: columns that identify a row.
        columns: Iceberg type by column.
        pipeline: which one writes it.
    """

    name: str
    answer: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    pipeline: str

    @property
    def in_lake(self) -> bool:
        """Say whether it is an Iceberg table, not one of PostgreSQL."""
        return self.name.startswith("lake.")


_CARRIER = {"flight_date": "date", "carrier": "string", "carrier_name": "string", **_MEASURES}
_ROUTE = {"flight_date": "date", "origin": "string", "dest": "string", "carriers": "long", **_MEASURES}

TABLES: tuple[TableSpec, ...] = (
    TableSpec(
        name="lake.raw.flights", answer="raw_flights", key=_FLIGHT_KEY, pipeline="ingest",
        columns={
            "flight_date": "date", "carrier": "string", "flight": "int", "origin": "string", "dest": "string",
            "tailnum": "string", "sched_dep_time": "int", "dep_time": "int", "dep_delay": "int",
            "sched_arr_time": "int", "arr_time": "int", "arr_delay": "int", "air_time": "int", "distance": "int",
            "time_hour": "timestamptz", "recorded_at": "timestamptz", "delivery": "long",
        },
    ),
    TableSpec(
        name="lake.raw.weather", answer="raw_weather", key=("origin", "time_hour"), pipeline="ingest",
        columns={"flight_date": "date", "origin": "string", "time_hour": "timestamptz", **_WEATHER},
    ),
    TableSpec(
        name="lake.curated.flights", answer="curated_flights", key=_FLIGHT_KEY, pipeline="transform",
        columns={
            "flight_date": "date", "carrier": "string", "carrier_name": "string", "flight": "int", "origin": "string",
            "dest": "string", "tailnum": "string", "origin_tz": "string", "dest_tz": "string", "status": "string",
            "scheduled_departure_utc": "timestamptz", "actual_departure_utc": "timestamptz",
            "scheduled_arrival_utc": "timestamptz", "actual_arrival_utc": "timestamptz", "arrival_day_offset": "int",
            "scheduled_minutes": "int", "actual_minutes": "int", "dep_delay": "int", "arr_delay": "int",
            "air_time": "int", "distance": "int", "weather_missing": "boolean", **_WEATHER,
        },
    ),
    TableSpec(
        name="lake.marts.carrier_daily", answer="marts_carrier_daily", key=("flight_date", "carrier"),
        pipeline="transform", columns=_CARRIER,
    ),
    TableSpec(
        name="lake.marts.route_daily", answer="marts_route_daily", key=("flight_date", "origin", "dest"),
        pipeline="transform", columns=_ROUTE,
    ),
    TableSpec(
        name="reporting.carrier_daily", answer="marts_carrier_daily", key=("flight_date", "carrier"),
        pipeline="publish", columns=_CARRIER,
    ),
    TableSpec(
        name="reporting.route_daily", answer="marts_route_daily", key=("flight_date", "origin", "dest"),
        pipeline="publish", columns=_ROUTE,
    ),
)  # fmt: skip


def spec(name: str) -> TableSpec | None:
    """Find a table of the specification by name."""
    return next((table for table in TABLES if table.name == name), None)
