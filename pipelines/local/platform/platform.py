"""The embedded platform of one state directory: started on demand, found again, repaired."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.local.engine.images import Image
from pipelines.local.errors import BadInput
from pipelines.local.platform import objects, parts
from pipelines.local.platform.catalog import Catalog
from pipelines.local.platform.code import CODE_ROOT, snapshot
from pipelines.local.platform.images import work_images
from pipelines.local.platform.locks import exclusive
from pipelines.local.platform.parts import Part, PartStatus
from pipelines.local.platform.ports import HOST, Ports, port_range
from pipelines.local.platform.postgres import CATALOG_DATABASE, DATABASE, Postgres
from pipelines.local.platform.receiver import Receiver
from pipelines.local.processes import memory
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.spark import cds, jars
from pipelines.local.spark.java import find_or_fetch
from pipelines.local.spark.warm.pool import Pool
from pipelines.local.spark.warm.shape import log_path
from pipelines.local.state import StateDir

Progress = Callable[[str], None]
STEPS_LOGIN = "steps-login.json"
"""File beside the servers' records: values of the Secret `lake-credentials`, where steps have a login of their own."""


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where the platform's servers listen; `postgres_dsn` is a libpq URI and holds the password."""

    catalog_uri: str
    postgres_dsn: str
    webhook_url: str
    warehouse: str
    lineage: Path


class Platform:
    """PostgreSQL, REST catalog and webhook receiver of one state directory.

    Args:
        state: which.
        isolation: how steps are kept apart; with strangers, the catalog, which does what they say, is too.
    """

    def __init__(self, state: StateDir, isolation: Isolation | None = None) -> None:
        self.state = state
        self._isolation = isolation

    @cached_property
    def postgres(self) -> Postgres:
        """The database server."""
        return Postgres(self.state.platform, self.state.logs, self._ports)

    @cached_property
    def catalog(self) -> Catalog:
        """The Iceberg catalog server."""
        return Catalog(
            self.state.platform,
            self.state.logs,
            self._ports,
            self.postgres,
            self.state.warehouse,
            isolation=self._isolation,
        )

    @cached_property
    def receiver(self) -> Receiver:
        """The webhook receiver."""
        return Receiver(self.state.platform, self.state.logs, self._ports)

    @property
    def endpoints(self) -> Endpoints:
        """Addresses of the servers as they were last started."""
        return Endpoints(
            catalog_uri=self.catalog.uri,
            postgres_dsn=self.postgres.dsn(),
            webhook_url=self.receiver.address(),
            warehouse=self.catalog.warehouse_uri,
            lineage=self.state.lineage,
        )

    def start(self, progress: Progress = lambda _: None, *, warm: bool = True) -> Endpoints:
        """Start what does not run, repair what does not answer, leave the rest alone; returns when all are healthy.

        With `warm`, a Spark JVM is warmed up in the background, unless steps are strangers; nothing waits for it.

        Raises:
            BadInput: a server does not come up, or the state directory cannot be written.
        """
        port_range()
        self.state.ensure()
        with self._guarded():
            jars.fetch(progress)
            parts.ensure(self.postgres, progress)
            self.postgres.provision()
            if not self.catalog.serves(self.postgres.dsn("catalog", CATALOG_DATABASE)):
                parts.stop(self.catalog)  # PostgreSQL moved to another port
            parts.ensure(self.catalog, progress)
            parts.ensure(self.receiver, progress)
            if warm and (self._isolation is None or self._isolation.strangers is None):  # who lease none
                cds.ensure(find_or_fetch(), progress)
                self.pool.prewarm(self.catalog.uri)
        return self.endpoints

    def stop(self, progress: Progress = lambda _: None) -> list[str]:
        """End every server, those that use another one first; returns the names of those that ran."""
        if not self.state.platform.is_dir():
            return []
        stopped = []
        with self._guarded():
            if self.pool.stop():
                stopped.append("spark")
            for part in reversed(self._parts()):
                progress(f"stopping {part.name}")
                if parts.stop(part):
                    stopped.append(part.name)
        return stopped

    def status(self) -> list[PartStatus]:
        """Look at every server without changing anything."""
        return [*(parts.status(part) for part in self._parts()), *self._warm_status()]

    def objects(self, *, image: str = "", instead: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Return the ConfigMap `lake` and the Secret `lake-credentials` for the servers as they run now.

        Args:
            image: the code image that steps run; default: a snapshot of the kit's own pipelines.
            instead: other values of the ConfigMap, such as the address of something that stands before a server.
        """
        values = {
            "catalogUri": self.catalog.uri,
            "warehouse": self.catalog.warehouse_uri,
            "postgresHost": HOST,
            "postgresPort": str(self.postgres.port),
            "postgresDatabase": DATABASE,
            "webhookUrl": self.receiver.address(),
            "openlineageType": "file",
            "openlineageLocation": str(self.state.lineage),
            "openlineageUrl": "",
            "image": image or snapshot(self.state).image,
            "codeRoot": CODE_ROOT,
            "yearShift": "0",
            **(instead or {}),
        }
        return [objects.config_map(values), objects.secret(self._login())]

    def _login(self) -> Mapping[str, str]:
        """Return what steps log in to the database with: the platform's own login, or one that was made for them."""
        try:
            found: Mapping[str, str] = json.loads((self.state.platform / STEPS_LOGIN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"postgresUser": "batchlab", "postgresPassword": self.postgres.passwords["batchlab"]}
        return found

    def _warm_status(self) -> list[PartStatus]:
        found = []
        for slot in self.pool.slots:
            keeper, jvm = slot.keeper(), slot.jvm()
            processes = [process for record in (keeper, jvm) if record and (process := record.process())]
            if processes:
                found.append(
                    PartStatus(
                        name=f"spark-{slot.number}",
                        running=True,
                        healthy=jvm is not None,
                        pid=jvm.pid if jvm else processes[0].pid,
                        address=f"{HOST}:{jvm.port}" if jvm else "",
                        memory=memory(processes[0]),
                        log=log_path(self.state, slot),
                        message=slot.phase,
                    )
                )
        return found

    def images(self) -> dict[str, Image]:
        """Return an image for each code snapshot of this state directory, by name: what its steps run in."""
        return work_images(self.state)

    @cached_property
    def pool(self) -> Pool:
        """Warm Spark JVMs."""
        return Pool(self.state)

    @cached_property
    def _ports(self) -> Ports:
        return Ports(self.state.platform / "ports.json")

    def _parts(self) -> list[Part]:
        return [self.postgres, self.catalog, self.receiver]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Hold the state directory's lock; say plainly when the disk refuses."""
        try:
            for folder in (
                self.state.platform,
                self.state.logs,
                self.state.warehouse,
                self.state.lineage,
                self.state.code,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            self.state.platform.chmod(0o711)
            with exclusive(self.state.platform / "lock"):
                yield
        except OSError as error:
            raise BadInput(
                f"the platform's files cannot be written: {error.strerror or error}",
                where=str(error.filename or self.state.root),
                remedy="free some space, mend its permissions, or set BATCHLAB_HOME to another folder",
            ) from error
