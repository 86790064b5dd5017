"""One real platform for the tests of this folder, in a folder deeper than a socket's path may be, with spaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.local.platform import Platform
from pipelines.local.state import StateDir


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A started platform without warm JVMs."""
    deep = tmp_path_factory.mktemp("a checkout with spaces") / ("deep " * 12) / ("er " * 12)
    made = Platform(StateDir(root=deep / ".batchlab"))
    made.start(warm=False)
    yield made
    made.stop()


def tables(platform: Platform) -> dict[str, int]:
    """Return the rows of each table of namespace `t`, read through the catalog."""
    from pyiceberg.catalog.rest import RestCatalog

    catalog = RestCatalog("lake", uri=platform.endpoints.catalog_uri)
    names = [".".join(name) for name in catalog.list_tables("t")]
    return {name: len(catalog.load_table(name).scan().to_arrow()) for name in names}


def add_table(platform: Platform, name: str, rows: int) -> None:
    """Commit a table of so many rows."""
    import pyarrow as pa
    from pyiceberg.catalog.rest import RestCatalog

    catalog = RestCatalog("lake", uri=platform.endpoints.catalog_uri)
    catalog.create_namespace_if_not_exists("t")
    data = pa.table({"id": list(range(rows))})
    catalog.create_table(f"t.{name}", schema=data.schema).append(data)


def pid(platform: Platform, part: str) -> int:
    """Return the process of a part."""
    return next(status.pid for status in platform.status() if status.name == part)
