"""Everything that a fresh machine needs beyond Python packages: `python -m pipelines.local.prepare`.

Each part is fetched or built once, into the user's cache, and checked by hash; what is there already takes no time.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import truststore

from pipelines.local.errors import BadInput
from pipelines.local.lang import build
from pipelines.local.spark import cds, jars, java


def main() -> int:
    """Find or fetch Java, fetch the jars, build the helpers; 2 with a remedy where one cannot be had."""
    truststore.inject_into_ssl()  # certificates that the system trusts, those of a proxy among them
    try:
        with ThreadPoolExecutor(1) as beside:  # compiling takes the processor, fetching the network
            built = beside.submit(_build)
            found = java.find_or_fetch()
            print(f"setup: Java {found.version} at {found.home}", file=sys.stderr)
            jars.fetch(lambda text: print(f"setup: {text}", file=sys.stderr))
            built.result()
        cds.ensure(found, lambda text: print(f"setup: {text}", file=sys.stderr))
    except BadInput as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted; run make again to go on", file=sys.stderr)
        return 130
    return 0


def _build() -> None:
    for program in build.PROGRAMS:
        build.binary(program)


if __name__ == "__main__":
    sys.exit(main())
