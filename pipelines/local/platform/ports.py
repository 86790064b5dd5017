"""Free ports on 127.0.0.1: chosen once per server and kept, chosen again when somebody else has taken them."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.errors import BadInput

HOST = "127.0.0.1"
SETTING = "BATCHLAB_PORTS"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as probe:
        # servers set it too, so a port in TIME_WAIT is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def port_range() -> range | None:
    """Return the range that `BATCHLAB_PORTS=20000-20100` allows (both included), None where any port will do.

    Raises:
        BadInput: the setting is no range of ports.
    """
    text = os.environ.get(SETTING, "").strip()
    if not text:
        return None
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if not match or not 1024 <= int(match[1]) <= int(match[2]) <= 65535:
        raise BadInput(
            f"{text!r} is no port range", where=SETTING, remedy="give one such as 20000-20100, within 1024-65535"
        )
    return range(int(match[1]), int(match[2]) + 1)


class Ports:
    """The ports of one state directory, kept in a small JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, server: str) -> int:
        """Return the port for a server that is about to start: the one it had, unless that is taken or not allowed now.

        Raises:
            BadInput: every port of the range is taken.
        """
        kept = self._load()
        allowed = port_range()
        port = kept.get(server, 0)
        if not port or not is_free(port) or (allowed is not None and port not in allowed):
            others = {taken for name, taken in kept.items() if name != server}
            port = next(_candidates(allowed, others))
            self._save({**kept, server: port})
        return port

    def _load(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._path.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _save(self, ports: dict[str, int]) -> None:
        part = self._path.with_suffix(".new")
        part.write_text(json.dumps(ports))
        part.replace(self._path)


def _candidates(allowed: range | None, others: set[int]) -> Iterator[int]:
    if allowed is None:
        while True:
            with socket.socket() as probe:
                probe.bind((HOST, 0))
                port: int = probe.getsockname()[1]
            if port not in others:
                yield port
    yield from (port for port in allowed if port not in others and is_free(port))
    raise BadInput(
        f"every port from {allowed.start} to {allowed.stop - 1} is taken",
        where=SETTING,
        remedy="give a wider range, or unset it to take any free port",
    )
