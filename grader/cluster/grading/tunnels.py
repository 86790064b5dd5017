"""Services of the cluster on fixed ports of this machine for the length of a grading, opened anew where they broke."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from grader.cluster.commands import Kubectl
from pipelines.local.errors import BadInput

SERVICES: Mapping[str, int] = {"catalog": 8181, "store": 7070, "postgres": 5432, "webhook": 8080, "lineage": 8080}
"""Services of the namespace `platform`, and their ports."""
_HOST = "127.0.0.1"
_PATIENCE = 60.0
_STEP = 0.2


@dataclass(kw_only=True)
class Tunnels:
    """Forwarded ports by the service's name; `ports` stay the same as long as the object lives."""

    kubectl: Kubectl
    ports: dict[str, int] = field(default_factory=dict)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)

    def ensure(self) -> None:
        """Open what is not open, and wait until it answers.

        Raises:
            BadInput: a service cannot be reached; the message has what kubectl says.
        """
        for name in SERVICES:
            process = self._processes.get(name)
            if process is None or process.poll() is not None or not _answers(self.ports[name]):
                self._open(name)

    def url(self, service: str) -> str:
        """Address of a service that speaks HTTP."""
        return f"http://{_HOST}:{self.ports[service]}"

    def dsn(self, user: str, password: str, database: str) -> str:
        """Address of a database."""
        return f"postgresql://{user}:{password}@{_HOST}:{self.ports['postgres']}/{database}"

    def close(self) -> None:
        """Close all."""
        for process in self._processes.values():
            _end(process)
        self._processes.clear()

    def _open(self, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        self.ports.setdefault(name, _free())
        while True:
            _end(self._processes.pop(name, None))
            words = [
                "kubectl", "port-forward", "-n", "platform", f"service/{name}", f"{self.ports[name]}:{SERVICES[name]}",
                f"--address={_HOST}",
            ]  # fmt: skip
            process = self._processes[name] = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env={**os.environ, **self.kubectl.environment},
            )  # fmt: skip
            while process.poll() is None:
                if _answers(self.ports[name]):
                    return
                if time.monotonic() > deadline:
                    break
                time.sleep(_STEP)
            if time.monotonic() > deadline:
                said = (
                    process.stderr.read().decode(errors="replace")
                    if process.poll() is not None and process.stderr
                    else ""
                )
                raise BadInput(
                    f"cannot be reached: {' '.join(said.split())[-300:]}", where=f"service platform/{name}",
                    remedy="`batchlab cluster status` says what is wrong",
                )  # fmt: skip
            time.sleep(_STEP)


@contextmanager
def tunnels(kubectl: Kubectl) -> Iterator[Tunnels]:
    """Open all services for the time of a `with` block."""
    found = Tunnels(kubectl=kubectl)
    try:
        found.ensure()
        yield found
    finally:
        found.close()


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    if process.stderr:
        process.stderr.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=5):
            return True
    except OSError:
        return False


def _free() -> int:
    with socket.socket() as found:
        found.bind((_HOST, 0))
        return int(found.getsockname()[1])
