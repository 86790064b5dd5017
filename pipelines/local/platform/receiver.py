"""The webhook receiver as a part of the platform."""

from __future__ import annotations

import http.client
import json
import signal
import sys
from pathlib import Path

from pipelines.local.platform import webhook
from pipelines.local.platform.parts import PROBE, NotHealthy
from pipelines.local.platform.ports import HOST, Ports
from pipelines.local.processes import Record, spawn


class Receiver:
    """The platform's webhook receiver (see `parts.Part`)."""

    name = "webhook"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, logs: Path, ports: Ports) -> None:
        self.database = folder / "webhook.db"
        self.log = logs / "webhook.log"
        self.record = folder / "webhook.json"
        self._ports = ports

    def address(self) -> str:
        """Return the URL that deliveries go to."""
        record = Record.load(self.record)
        return f"http://{HOST}:{record.port if record else 0}/deliveries"

    def probe(self) -> None:
        """Ask whether it is ready."""
        record = Record.load(self.record)
        connection = http.client.HTTPConnection(HOST, record.port if record else 0, timeout=PROBE)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            if answer.status != 200 or json.loads(answer.read()) != {"ok": True}:
                raise NotHealthy(f"answers {answer.status}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotHealthy(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def launch(self) -> None:
        """Start the receiver's process: a plain script, so it needs no packages and little memory."""
        port = self._ports.get(self.name)
        argv = [sys.executable, "-I", "-S", str(webhook.__file__), str(port), str(self.database)]
        process = spawn(argv, log=self.log)
        Record.of(process.pid, port=port).save(self.record)
