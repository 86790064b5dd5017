"""Tables of schema `ops`: their DDL, which columns the package's files fill, and the content they must have."""

from __future__ import annotations

from dataclasses import dataclass

PACKAGE_VERSION = "0.0.3"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of `ops` and the file it is loaded from.

    Args:
        name: table name without the schema.
        file: file name in the package's data folder; `.zip` holds one CSV of the same stem.
        columns: the file's columns, in the file's order.
        ddl: column definitions and constraints.
        key: primary key, added after the load because building it once is faster.
        rows: rows of the base load.
        digest: content digest of the base load (see `loader.content`).
        base: condition that picks the base load's rows out of the table.
    """

    name: str
    file: str
    columns: tuple[str, ...]
    ddl: str
    key: tuple[str, ...]
    rows: int
    digest: str
    base: str = "true"


FLIGHT_COLUMNS = (
    "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay",
    "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance", "hour", "minute", "time_hour",
)  # fmt: skip

WEATHER_COLUMNS = (
    "origin", "year", "month", "day", "hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust",
    "precip", "pressure", "visib", "time_hour",
)  # fmt: skip

FLIGHTS = Table(
    name="flights",
    file="flights.csv.zip",
    columns=FLIGHT_COLUMNS,
    ddl="""
        year integer NOT NULL, month integer NOT NULL, day integer NOT NULL,
        dep_time integer, sched_dep_time integer NOT NULL, dep_delay integer,
        arr_time integer, sched_arr_time integer NOT NULL, arr_delay integer,
        carrier text NOT NULL, flight integer NOT NULL, tailnum text, origin text NOT NULL, dest text NOT NULL,
        air_time integer, distance integer NOT NULL, hour integer NOT NULL, minute integer NOT NULL,
        time_hour timestamptz NOT NULL, recorded_at timestamptz NOT NULL, delivery bigint NOT NULL,
        flight_date date GENERATED ALWAYS AS (make_date(year, month, day)) STORED""",
    key=("flight_date", "carrier", "flight", "origin", "recorded_at", "delivery"),
    rows=336_776,
    digest="1a38c63617292fc297997355ebeebd",
    base="delivery = 0",
)

TABLES = (
    FLIGHTS,
    Table(
        name="airlines",
        file="airlines.csv",
        columns=("carrier", "name"),
        ddl="carrier text, name text NOT NULL",
        key=("carrier",),
        rows=16,
        digest="0841755bf5fb3a9fdf96ac3476849f",
    ),
    Table(
        name="airports",
        file="airports.csv",
        columns=("faa", "name", "lat", "lon", "alt", "tz", "dst", "tzone"),
        ddl="faa text, name text, lat double precision, lon double precision, alt integer, tz integer, dst text, "
        "tzone text",
        key=("faa",),
        rows=1_458,
        digest="ab84049d00e22e4ef8db8c5893a815",
    ),
    Table(
        name="planes",
        file="planes.csv",
        columns=("tailnum", "year", "type", "manufacturer", "model", "engines", "seats", "speed", "engine"),
        ddl="tailnum text, year integer, type text, manufacturer text, model text, engines integer, seats integer, "
        "speed integer, engine text",
        key=("tailnum",),
        rows=3_322,
        digest="ae2473f1b2b430752ec3690a64e271",
    ),
    Table(
        name="weather",
        file="weather.csv",
        columns=WEATHER_COLUMNS,
        ddl="origin text, year integer NOT NULL, month integer NOT NULL, day integer NOT NULL, hour integer NOT NULL, "
        "temp numeric(6,2), dewp numeric(6,2), humid numeric(6,2), wind_dir integer, wind_speed numeric(9,5), "
        "wind_gust numeric(9,5), precip numeric(6,2), pressure numeric(6,2), visib numeric(6,2), "
        "time_hour timestamptz",
        key=("origin", "time_hour"),
        rows=26_115,
        digest="7bd2f56310a6ad2f1542b598887aa8",
    ),
)
