"""The REST Iceberg catalog: Iceberg's reference server over its JDBC catalog on the platform's PostgreSQL."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JError

from pipelines.local.errors import BadInput
from pipelines.local.platform.parts import PROBE, NotHealthy, last_line
from pipelines.local.platform.ports import HOST, Ports
from pipelines.local.platform.postgres import CATALOG_DATABASE, Postgres
from pipelines.local.processes import Record, spawn
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.spark import jars
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import find_or_fetch

# Of Spark's jars the server needs Hadoop's client (file access), logging and py4j; its own set comes first.
FROM_SPARK = (
    "hadoop-client-api-*.jar", "hadoop-client-runtime-*.jar", "jcl-over-slf4j-*.jar", "log4j-api-*.jar",
    "log4j-core-*.jar", "log4j-slf4j2-impl-*.jar", "py4j-*.jar", "snappy-java-*.jar",
)  # fmt: skip
MEMORY = (
    "-Xms16m", "-Xmx256m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=20", "-XX:ReservedCodeCacheSize=48m", "-XX:+ExitOnOutOfMemoryError",
)  # fmt: skip
LOGGING = """rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n%ex
"""


class Catalog:
    """The platform's catalog server (see `parts.Part`)."""

    name = "catalog"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        folder: Path,
        logs: Path,
        ports: Ports,
        postgres: Postgres,
        warehouse: Path,
        *,
        isolation: Isolation | None = None,
    ) -> None:
        self.folder = folder
        self.log = logs / "catalog.log"
        self.record = folder / "catalog.json"
        self._ports = ports
        self._postgres = postgres
        self._warehouse = warehouse
        self._isolation = isolation

    @property
    def uri(self) -> str:
        """The catalog's address for clients."""
        record = Record.load(self.record)
        return f"http://{HOST}:{record.port if record else 0}"

    @property
    def warehouse_uri(self) -> str:
        """Root of the tables' data and metadata files; spaces stay as they are, which is how readers take them."""
        return f"file://{self._warehouse}"

    def address(self) -> str:
        """Say where it listens."""
        return self.uri

    def serves(self, dsn: str) -> bool:
        """Tell whether the running server was started on this database address (ports may have been chosen anew)."""
        record = Record.load(self.record)
        return record is not None and record.info.get("database") == dsn

    def probe(self) -> None:
        """Ask for the configuration and for the namespaces: the second goes through to the database."""
        record = Record.load(self.record)
        if record is None:
            raise NotHealthy("not started")
        for path in ("/v1/config", "/v1/namespaces"):
            _get_json(record.port, path)

    def launch(self) -> None:
        """Start a JVM with py4j's door open, build the server in it, and close that door again."""
        port = self._ports.get(self.name)
        config = self.folder / "catalog.log4j2.properties"
        config.write_text(LOGGING)
        door = self.folder / "catalog.door"  # py4j says its port and its secret there, which die with the door
        properties = (f"-Dlog4j2.configurationFile={config}", "-Djava.net.preferIPv4Stack=true")
        program = ("-cp", self._class_path(), "py4j.GatewayServer", "--enable-auth", "0")
        java = find_or_fetch()
        argv = [str(java.executable), *MEMORY, *properties, *program]
        if self._isolation is not None:  # it reads, writes and removes whatever file a table's metadata names
            shown = [java.home, config, jars.folder(), spark_home()]
            argv = self._isolation.command(argv, at=self.folder / "room", read=shown, write=[self._warehouse])
        process = spawn(argv, log=self.log, stdout=door)
        Record.of(process.pid, port=port, info={"database": self._postgres.dsn("catalog", CATALOG_DATABASE)}).save(
            self.record
        )
        try:
            gateway = _open(door, process)
            try:
                _build(gateway.jvm, port=port, properties=self._properties())
            finally:
                gateway.shutdown()
        except (OSError, Py4JError) as error:
            raise BadInput(
                f"the catalog does not start: {last_line(self.log)}", where=str(self.log), remedy="read that log"
            ) from error
        finally:
            door.unlink(missing_ok=True)

    def _properties(self) -> dict[str, str]:
        record = Record.load(self._postgres.record)
        return {
            "uri": f"jdbc:postgresql://{HOST}:{record.port if record else 0}/{CATALOG_DATABASE}",
            "jdbc.user": "catalog",
            "jdbc.password": self._postgres.passwords["catalog"],
            "jdbc.schema-version": "V1",
            "warehouse": self.warehouse_uri,
            "clients": "4",
        }

    def _class_path(self) -> str:
        own = [str(path) for path in jars.paths("catalog")]
        shared = [str(path) for pattern in FROM_SPARK for path in sorted((spark_home() / "jars").glob(pattern))]
        return os.pathsep.join(own + shared)


def _open(door: Path, process: subprocess.Popen[bytes]) -> JavaGateway:
    """Wait for py4j to say its port and secret, and connect."""
    deadline = time.monotonic() + 60
    while True:
        lines = door.read_text().splitlines() if door.exists() else []
        if len(lines) >= 2:
            return JavaGateway(
                gateway_parameters=GatewayParameters(port=int(lines[0]), auth_token=lines[1], auto_convert=True)
            )
        if process.poll() is not None or time.monotonic() > deadline:
            raise OSError("the JVM ended or said nothing")
        time.sleep(0.05)


def _build(jvm: Any, *, port: int, properties: Mapping[str, str]) -> None:
    """Build catalog, adapter, servlet and HTTP server inside the JVM; the server's threads keep the JVM alive."""
    catalog = jvm.org.apache.iceberg.jdbc.JdbcCatalog()
    catalog.setConf(jvm.org.apache.hadoop.conf.Configuration())
    catalog.initialize("lake", dict(properties))
    servlet = jvm.org.apache.iceberg.rest.RESTCatalogServlet(jvm.org.apache.iceberg.rest.RESTCatalogAdapter(catalog))
    context = jvm.org.eclipse.jetty.ee10.servlet.ServletContextHandler()
    context.addServlet(jvm.org.eclipse.jetty.ee10.servlet.ServletHolder(servlet), "/*")
    server = jvm.org.eclipse.jetty.server.Server(jvm.java.net.InetSocketAddress(HOST, port))
    server.setHandler(context)
    server.start()


def _get_json(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotHealthy(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise NotHealthy(f"GET {path} answers {response.status}")
    return json.loads(body)
