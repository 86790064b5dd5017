"""Step `notify`: announce the publication; the same content is announced once, whatever is run again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from pipelines.datatier.job import Arguments, logical_date, required, run
from pipelines.datatier.lineage import Dataset, emitting, postgres_dataset
from pipelines.datatier.notify import post
from pipelines.publish.publication import TABLES, Publication

PIPELINE = "publish"


def main(argv: Sequence[str]) -> None:
    """Post the publication with the key `publish:<ds>:<fingerprint>`."""
    parser = Arguments(__doc__)
    parser.add_argument("--publication", required=True, help="what step read put out")
    given = parser.parse_args(argv)
    ds, publication = logical_date(given), Publication.from_json(given.publication)
    url = required(os.environ, "WEBHOOK_URL")
    key = f"{PIPELINE}:{ds}:{publication.fingerprint}"
    body = {
        "pipeline": PIPELINE,
        "ds": str(ds),
        "fingerprint": publication.fingerprint,
        "tables": {TABLES[mart]: rows for mart, rows in publication.rows.items()},
    }
    place = urlsplit(url)
    with emitting("publish.notify") as lineage:
        lineage.inputs = [postgres_dataset(table) for table in TABLES.values()]
        lineage.outputs = [Dataset(namespace=f"{place.scheme}://{place.netloc}", name=place.path)]
        status = post(url, key, body)
    print(f"{key}: answered {status}")


if __name__ == "__main__":
    run(main)
