"""Step `read`: pin the marts' snapshots and fingerprint the day that will be published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.datatier.catalog import lake
from pipelines.datatier.job import Arguments, logical_date, run
from pipelines.publish.publication import TABLES, Publication, fingerprint, read_mart


def main(argv: Sequence[str]) -> None:
    """Write the publication as JSON to the file that the manifest names as an output parameter."""
    parser = Arguments(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="file for the publication")
    given = parser.parse_args(argv)
    ds, catalog = logical_date(given), lake()
    found = {mart: read_mart(catalog, mart, ds) for mart in TABLES}
    publication = Publication(
        ds=str(ds),
        snapshots={mart: snapshot for mart, (_, _, snapshot) in found.items()},
        rows={mart: len(rows) for mart, (_, rows, _) in found.items()},
        fingerprint=fingerprint({TABLES[mart]: rows for mart, (_, rows, _) in found.items()}),
    )
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(publication.to_json())
    print(publication.to_json())


if __name__ == "__main__":
    run(main)
