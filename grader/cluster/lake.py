"""The lake of a cluster, read from this machine: catalog and object store are forwarded while something needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cluster.commands import Kubectl
from grader.cluster.reach import forwarded
from pipelines.local.errors import BadInput

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

WAREHOUSE = "s3://lake/warehouse"


@contextmanager
def catalog(kubectl: Kubectl) -> Iterator[Catalog]:
    """Connect to the catalog while a `with` block lasts."""
    with (
        forwarded(kubectl, "platform", "catalog", 8181) as port,
        forwarded(kubectl, "platform", "store", 7070) as store,
    ):
        yield connect(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{store}")


def connect(uri: str, store: str) -> Catalog:
    """Connect to a catalog; where the object store is, this client says itself, and how to log in it is told.

    Args:
        uri: the catalog, as it is reached from here.
        store: the object store, as it is reached from here.
    """
    from pyiceberg.catalog.rest import RestCatalog

    return RestCatalog("lake", uri=uri, **{"s3.endpoint": store, "warehouse": WAREHOUSE})


def export(kubectl: Kubectl, folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Write the current content of every table to a Parquet file; returns the files.

    Raises:
        BadInput: the folder is not empty, or the catalog cannot be reached.
    """
    from pyarrow import parquet

    if folder.exists() and any(folder.iterdir()):
        raise BadInput("is not empty: nothing is overwritten", where=str(folder), remedy="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with catalog(kubectl) as lake:
        for namespace in lake.list_namespaces():
            for name in lake.list_tables(namespace):
                path = folder / f"{'.'.join(name)}.parquet"
                content = lake.load_table(name).scan().to_arrow()
                parquet.write_table(content, path)
                say(f"{path}: {content.num_rows:,} rows")
                written.append(path)
    return written
