"""Step `notify`: tell a webhook, with an idempotency key, so that telling it again has no second effect."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.datatier.errors import JobError
from pipelines.datatier.job import Arguments, required, run

TIMEOUT = 10  # seconds


def post(url: str, key: str, body: Mapping[str, Any]) -> int:
    """POST a JSON body with header `Idempotency-Key`; returns the HTTP status.

    Raises:
        JobError: the receiver cannot be reached, or refuses.
    """
    request = urllib.request.Request(  # noqa: S310 - the address comes from the cluster's own ConfigMap
        url,
        data=json.dumps(body, sort_keys=True).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        raise JobError(f"{url} answered {error.code} to {key}") from error
    except (urllib.error.URLError, OSError) as error:
        raise JobError(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error


def main(argv: Sequence[str]) -> None:
    """Read key and body, then notify the webhook that `WEBHOOK_URL` names."""
    parser = Arguments(__doc__)
    parser.add_argument("--key", required=True, help="idempotency key")
    parser.add_argument("--body", required=True, help="what to send, a JSON object")
    given = parser.parse_args(argv)
    try:
        body = json.loads(given.body)
    except ValueError as error:
        raise JobError(f"--body is no JSON: {error}") from error
    status = post(required(os.environ, "WEBHOOK_URL"), given.key, body)
    print(f"{given.key}: answered {status}")


if __name__ == "__main__":
    run(main)
