"""Column lineage: what the emitters say, against the columns that there are and the rules of `pipelines/DATA.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from grader.lineage.executions import Execution
from grader.lineage.facets import ColumnEdge

Column = tuple[str, str]
"""A dataset and a column of it."""

RAW, WEATHER, CURATED = "lake.raw.flights", "lake.raw.weather", "lake.curated.flights"
MARTS = ("lake.marts.carrier_daily", "lake.marts.route_daily")
SAME = ("flight", "tailnum", "dep_delay", "arr_delay", "air_time", "distance")
OBSERVED = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def _declared() -> Iterator[tuple[Column, Column]]:
    for name in SAME:
        yield (CURATED, name), (RAW, name)
    for name in OBSERVED:
        yield (CURATED, name), (WEATHER, name)
    yield (CURATED, "carrier_name"), ("ops.airlines", "name")
    yield (CURATED, "origin_tz"), ("ops.airports", "tzone")
    yield (CURATED, "dest_tz"), ("ops.airports", "tzone")
    yield (CURATED, "scheduled_departure_utc"), (RAW, "sched_dep_time")
    yield (CURATED, "scheduled_arrival_utc"), (RAW, "sched_arr_time")
    yield (CURATED, "actual_departure_utc"), (RAW, "dep_delay")
    yield (CURATED, "actual_arrival_utc"), (RAW, "arr_delay")
    for mart in MARTS:
        yield (mart, "dep_delay_minutes"), (CURATED, "dep_delay")
        yield (mart, "avg_dep_delay"), (CURATED, "dep_delay")
        for name in ("arr_delay_minutes", "avg_arr_delay", "max_arr_delay", "late_arrivals", "on_time_rate"):
            yield (mart, name), (CURATED, "arr_delay")
        yield (mart, "weather_missing_flights"), (CURATED, "weather_missing")
        yield (mart, "distance_miles"), (CURATED, "distance")
    yield (MARTS[0], "carrier_name"), (CURATED, "carrier_name")
    yield (MARTS[1], "carriers"), (CURATED, "carrier")


REQUIRED: tuple[tuple[Column, Column], ...] = tuple(_declared())
"""A column, and one that it must come from. Only where the rule leaves no other: a count by status can be made from
several columns with the same result, a key from either side of a join, and a count of rows comes from no column."""


@dataclass(frozen=True, kw_only=True)
class ColumnProblem:
    """What is wrong with the column lineage of a table; `column` is empty where there is none at all."""

    table: str
    column: str
    source: str
    source_column: str
    problem: str

    def as_json(self) -> dict[str, str]:
        """Give its fields."""
        return {key: str(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Column edges of everything that completed.

    Args:
        edges: by table written.
        known: the columns that each dataset has, in lower case; a dataset of which nothing is known is not in it.
        spark: tables that Spark made from tables of the lake.
        specified: the datasets of the specification.
    """

    edges: Mapping[str, tuple[ColumnEdge, ...]] = field(default_factory=dict)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    spark: frozenset[str] = frozenset()
    specified: frozenset[str] = frozenset()

    def origins(self, table: str, column: str) -> set[Column]:
        """Give all columns that one comes from, through any number of tables; names in lower case.

        Itself is not among them: a MERGE keeps what it does not replace, and of what it puts in, Spark's events may say
        nothing.
        """
        found: set[Column] = {(table, column.lower())}
        queue = [(table, column.lower())]
        while queue:
            at, name = queue.pop()
            for edge in self.edges.get(at, ()):
                source = (edge.source, edge.source_column.lower())
                if edge.column.lower() == name and source not in found:
                    found.add(source)
                    queue.append(source)
        return found - {(table, column.lower())}

    def said(self, table: str) -> set[str]:
        """Name the columns of a table of which something is said, in lower case."""
        return {edge.column.lower() for edge in self.edges.get(table, ())}


def columns_of(done: Sequence[Execution], specified: Mapping[str, Iterable[str]]) -> Columns:
    """Collect column lineage, and which columns there are: those that events give, and those of the specification.

    Args:
        done: executions.
        specified: columns by dataset.
    """
    edges: dict[str, dict[ColumnEdge, None]] = {}
    known = {name: {column.lower() for column in columns} for name, columns in specified.items()}
    spark: set[str] = set()
    for one in done:
        for use in (*one.reads.values(), *one.writes.values()):
            if use.schema:
                known.setdefault(use.name, set()).update(column.lower() for column in use.schema)
        for target, use in one.writes.items() if one.completed else ():
            edges.setdefault(target, {}).update(dict.fromkeys(use.columns))
            if one.spark and any(source.startswith("lake.") for source in one.sources(target)):
                spark.add(target)
    return Columns(
        edges={table: tuple(some) for table, some in edges.items()},
        known={name: frozenset(some) for name, some in known.items()},
        spark=frozenset(spark),
        specified=frozenset(specified),
    )


def column_problems(
    columns: Columns, judged: Iterable[str], required: Sequence[tuple[Column, Column]] = REQUIRED
) -> tuple[ColumnProblem, ...]:
    """Compare column lineage with what it must be.

    A table that Spark made from tables of the lake has column lineage; what it has must name columns that exist, on
    both sides, and, of the key measures, the right ones. Of a column that the emitter says nothing of, nothing is
    concluded: Spark has none for a constant, a count of rows, or the result of a Python function.

    Args:
        columns: what was said.
        judged: the tables to look at.
        required: columns, and one that each must come from.
    """
    found: list[ColumnProblem] = []
    for table in judged:
        edges = columns.edges.get(table, ())
        if table in columns.spark and not edges:
            found.append(_problem(table, "", "", "", "Spark wrote it, and no event says which column comes from which"))
        found += [one for edge in edges if (one := _phantom(table, edge, columns))]
        found += [
            one for (at, column), source in required if at == table and (one := _astray(table, column, source, columns))
        ]
    return tuple(found)


def _astray(table: str, column: str, source: Column, columns: Columns) -> ColumnProblem | None:
    """Say where a column comes from that must come from another.

    Nothing is concluded where it goes through a table of the solution's own whose columns nobody tells.
    """
    origins = columns.origins(table, column)
    told = all(at.startswith("ops.") or at in columns.specified or at in columns.edges for at, _ in origins)
    if not origins or source in origins or not told:
        return None
    said = ", ".join(sorted(".".join(one) for one in origins))
    return _problem(table, column, *source, f"its events say that it comes from {said}")


def _phantom(table: str, edge: ColumnEdge, columns: Columns) -> ColumnProblem | None:
    known = columns.known
    if table in known and edge.column.lower() not in known[table]:
        return _problem(table, edge.column, edge.source, edge.source_column, f"{table} has no column {edge.column}")
    if edge.source in known and edge.source_column.lower() not in known[edge.source]:
        problem = f"{edge.source} has no column {edge.source_column}"
        return _problem(table, edge.column, edge.source, edge.source_column, problem)
    return None


def _problem(table: str, column: str, source: str, source_column: str, problem: str) -> ColumnProblem:
    return ColumnProblem(table=table, column=column, source=source, source_column=source_column, problem=problem)
