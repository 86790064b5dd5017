"""What has to be done inside a JVM before and after it serves one application, through py4j."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway, JavaObject
from py4j.protocol import Py4JError

from pipelines.local.spark.gateway import Address

FULLEST = 0.5  # of the heap may be in use after a collection; more means that something was left behind
PATIENCE = 10.0  # seconds for calls under way and threads of a stopped context to end


class Doubt(Exception):  # noqa: N818 - a reason to take another JVM
    """This JVM should serve nobody any more, with the reason."""


class Jvm:
    """One gateway JVM, talked to from outside of the application that it serves."""

    def __init__(self, address: Address) -> None:
        logging.getLogger("py4j").setLevel(logging.CRITICAL)  # what goes wrong is an exception too
        self._gateway = JavaGateway(
            gateway_parameters=GatewayParameters(
                port=address.port, auth_token=address.secret, auto_convert=True, read_timeout=60
            )
        )

    def close(self) -> None:
        """Close our connection; the JVM goes on."""
        self._gateway.close()

    def baseline(self) -> dict[str, Any]:
        """Return what a JVM that serves nobody looks like: properties, time zone, locale, count of lasting threads."""
        jvm = self._gateway.jvm
        properties = jvm.java.lang.System.getProperties()
        return {
            "properties": {str(key): str(properties.get(key)) for key in properties.stringPropertyNames()},
            "zone": jvm.java.util.TimeZone.getDefault().getID(),
            "locale": jvm.java.util.Locale.getDefault().toLanguageTag(),
            "threads": self._lasting_threads(),
        }

    def prepare(self, properties: Mapping[str, str], *, log: Path, work: Path) -> None:
        """Make the JVM this application's own: its settings, its log, its folder.

        Raises:
            Doubt: somebody else's context is still active, or the JVM does not answer.
        """
        try:
            if self._active_context() is not None:
                raise Doubt("another application's context is active")
            jvm = self._gateway.jvm
            own = {**properties, "user.dir": str(work)}  # not java.io.tmpdir: a JVM reads that once
            jvm.java.lang.System.getProperties().load(jvm.java.io.StringReader(_as_properties(own)))
            stream = jvm.java.io.PrintStream(jvm.java.io.FileOutputStream(str(log), True), True)
            jvm.java.lang.System.setOut(stream)
            jvm.java.lang.System.setErr(stream)
        except (Py4JError, OSError) as error:
            raise Doubt(f"it does not answer: {error}") from error

    def busy(self) -> bool:
        """Tell whether jobs are running, as they are when an application was killed in the middle of one."""
        try:
            context = self._active_context()
            return context is not None and len(context.statusTracker().getActiveJobIds()) > 0
        except (Py4JError, OSError):
            return True

    def stop_context(self) -> None:
        """Stop what the application left running, so that its last events are out.

        Raises:
            Doubt: the JVM does not answer.
        """
        try:
            context = self._active_context()
            if context is not None:
                context.stop()
        except (Py4JError, OSError) as error:
            raise Doubt(f"its context does not stop: {error}") from error

    def reset(self, baseline: Mapping[str, Any], *, log: Path) -> None:
        """Take away what one application could leave for the next: sessions, settings, files systems, objects, levels.

        Raises:
            Doubt: something is left, or the JVM does not answer.
        """
        try:
            self._settle(baseline)
            self._clear_spark()
            self._restore(baseline, log)
            self._forget_objects()
            self._check_memory()
        except (Py4JError, OSError) as error:
            raise Doubt(f"it cannot be cleaned: {error}") from error

    def _active_context(self) -> Any:
        active = self._singleton("org.apache.spark.SparkContext$").getActive()
        return active.get() if active.isDefined() else None

    def _singleton(self, name: str) -> Any:
        """Return a Scala object, for methods that have no static twin."""
        return self._gateway.jvm.java.lang.Class.forName(name).getField("MODULE$").get(None)

    def _clear_spark(self) -> None:
        jvm = self._gateway.jvm
        for session in (jvm.org.apache.spark.sql.SparkSession, jvm.org.apache.spark.sql.classic.SparkSession):
            session.clearActiveSession()
            session.clearDefaultSession()
        self._singleton("org.apache.spark.util.Utils$").clearLocalRootDirs()
        jvm.org.apache.hadoop.fs.FileSystem.closeAll()
        jvm.io.openlineage.spark.agent.JobMetricsHolder.getInstance().cleanUpAll()
        jvm.org.apache.logging.log4j.core.config.Configurator.reconfigure()

    def _restore(self, baseline: Mapping[str, Any], log: Path) -> None:
        jvm = self._gateway.jvm
        properties = jvm.java.util.Properties()
        properties.load(jvm.java.io.StringReader(_as_properties(baseline["properties"])))
        jvm.java.lang.System.setProperties(properties)
        jvm.java.util.TimeZone.setDefault(jvm.java.util.TimeZone.getTimeZone(baseline["zone"]))
        jvm.java.util.Locale.setDefault(jvm.java.util.Locale.forLanguageTag(baseline["locale"]))
        old = getattr(jvm.java.lang.System, "err")  # noqa: B009 - a static field, read when asked for
        stream = jvm.java.io.PrintStream(jvm.java.io.FileOutputStream(str(log), True), True)
        jvm.java.lang.System.setOut(stream)
        jvm.java.lang.System.setErr(stream)
        old.close()

    def _forget_objects(self) -> None:
        """Drop the references that a Python process held when it ended: py4j keeps them for ever otherwise."""
        server = JavaObject("GATEWAY_SERVER", self._gateway._gateway_client)  # noqa: SLF001 - py4j's name for itself
        bindings = server.getGateway().getBindings()
        mine = bindings._target_id  # noqa: SLF001
        for name in list(bindings.keySet()):
            if name[:1] == "o" and name[1:].isdigit() and name != mine:
                bindings.remove(name)

    def _settle(self, baseline: Mapping[str, Any]) -> None:
        """Wait until nothing of the application runs: its calls may still be under way, and make a context yet."""
        deadline = time.monotonic() + PATIENCE
        while (left := self._lasting_threads() - int(baseline["threads"])) > 0:
            if time.monotonic() > deadline:
                raise Doubt(f"{left} threads were left running")
            time.sleep(0.02)
            self.stop_context()
        self.stop_context()

    def _check_memory(self) -> None:
        memory = self._gateway.jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        memory.gc()
        heap = memory.getHeapMemoryUsage()
        if heap.getUsed() > heap.getMax() * FULLEST:
            raise Doubt(f"{heap.getUsed() >> 20} MiB are still in use")

    def _lasting_threads(self) -> int:
        threads = self._gateway.jvm.java.lang.management.ManagementFactory.getThreadMXBean()
        return int(threads.getThreadCount()) - int(threads.getDaemonThreadCount())


def _as_properties(values: Mapping[str, str]) -> str:
    """Write Java's properties format, escaping everything that it could read otherwise."""
    return "".join(f"{_escape(key)}={_escape(value)}\n" for key, value in values.items())


def _escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[index : index + 2], "big") for index in range(0, len(units), 2)]
    return "".join(chr(code) if chr(code).isalnum() and code < 128 else f"\\u{code:04x}" for code in codes)
