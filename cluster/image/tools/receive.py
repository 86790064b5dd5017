"""Record what is posted, on every interface of the container: `receive.py PORT DATABASE`."""

from __future__ import annotations

import signal
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

from webhook import Deliveries, Handler


def main() -> None:
    """Serve until asked to stop."""
    handler = type("Bound", (Handler,), {"deliveries": Deliveries(Path(sys.argv[2]))})
    server = ThreadingHTTPServer(("", int(sys.argv[1])), handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
