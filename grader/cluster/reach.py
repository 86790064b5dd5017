"""Services of a cluster, reached from this machine while something needs them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from grader.cluster.commands import Kubectl
from pipelines.local.errors import BadInput

_PORT = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@contextmanager
def forwarded(kubectl: Kubectl, namespace: str, service: str, port: int) -> Iterator[int]:
    """Forward a free port of 127.0.0.1 to a service; gives its number.

    Raises:
        BadInput: kubectl cannot, for one because no pod of the service is ready.
    """
    words = ["kubectl", "port-forward", "-n", namespace, f"service/{service}", f":{port}", "--address=127.0.0.1"]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **kubectl.environment}
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = _PORT.search(first)
        if found is None:
            raise BadInput(f"cannot be reached: {first.strip()}", where=f"service {namespace}/{service}")
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(timeout=10)
