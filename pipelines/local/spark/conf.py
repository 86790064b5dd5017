"""What every local Spark run gets beside its own settings: local mode, loopback only, little of everything.

Nothing here is in a manifest, and a manifest's own value wins, except for what makes a run local.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.local.state import StateDir

# A laptop's defaults; a manifest may say otherwise.
DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.buffer.kb": "64k",
    "spark.python.worker.reuse": "true",
}
# Where it runs is not the manifest's business.
FORCED = {
    "spark.submit.deployMode": "client",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
LOG4J = """status = error
rootLogger.level = warn
rootLogger.appenderRef.err.ref = err
appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
appender.err.follow = true
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
logger.conf.name = org.apache.spark.SparkConf
logger.conf.level = error
logger.utils.name = org.apache.spark.util.Utils
logger.utils.level = error
"""


def defaults(state: StateDir, work: Path) -> dict[str, str]:
    """Return the settings that a manifest may override; `work` is the run's own scratch folder.

    Folders are plain paths: Spark takes a `file:` address with a space in it for a relative path.
    """
    return {
        **DEFAULTS,
        "spark.eventLog.dir": str(events(state)),
        "spark.local.dir": str(work / "spark-local"),
        "spark.sql.warehouse.dir": str(work / "spark-warehouse"),
    }


def forced(cores: int) -> dict[str, str]:
    """Return the settings that make a run local."""
    return {**FORCED, "spark.master": f"local[{cores}]"}


def events(state: StateDir) -> Path:
    """Return the folder of Spark's own event logs, one file per application."""
    return state.logs / "spark-events"


def prepare(state: StateDir) -> Path:
    """Make the folders and files that local runs share; returns the log4j configuration."""
    events(state).mkdir(parents=True, exist_ok=True)
    empty_conf_dir(state).mkdir(parents=True, exist_ok=True)
    path = state.cache / "spark" / "log4j2.properties"
    if not path.exists() or path.read_text() != LOG4J:
        path.write_text(LOG4J)
    return path


def empty_conf_dir(state: StateDir) -> Path:
    """Return the SPARK_CONF_DIR of local runs: empty, as a class archive allows no full folder on the class path."""
    return state.cache / "spark" / "conf"
