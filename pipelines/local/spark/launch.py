"""How a driver is started: the local settings, the environment, the JVM's command."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.local.spark import cds, command, conf, gateway
from pipelines.local.spark.application import Driver
from pipelines.local.spark.home import spark_home
from pipelines.local.spark.java import find
from pipelines.local.spark.request import Request
from pipelines.local.spark.warm.fit import misfit
from pipelines.local.state import StateDir


def request_for(state: StateDir, driver: Driver, *, work: Path, log: Path, application_id: str) -> Request:
    """Return what the process that runs this driver needs to know, and say there whether a warm JVM will do.

    Args:
        state: the state directory.
        driver: the driver.
        work: its working folder, which is its own.
        log: the file that everything it says goes to.
        application_id: what `sparkContext.applicationId` shall be.
    """
    java = find()
    settings = {
        **conf.defaults(state, work),
        **driver.conf,
        **conf.forced(driver.cores),
        "spark.test.appId": application_id,
    }
    files = (*driver.jars, *driver.py_files, *driver.files)
    own_jvm = not driver.python or misfit(
        conf=settings, env=driver.env, memory=driver.memory, java_options=driver.java_options, files=files
    )
    options = command.submit_arguments(
        name=driver.name,
        conf=settings,
        main_class=driver.main_class,
        jar_files=driver.jars,
        py_files=driver.py_files,
        files=driver.files,
    )
    program = [str(driver.main), *driver.arguments]
    return Request(
        java=command.java_command(
            java.executable,
            heap=driver.memory,
            log4j=conf.prepare(state),
            archive=cds.existing(java),
            options=driver.java_options,
            front=driver.jars,
        ),
        submit=options if driver.python else [*options, *program],
        program=program if driver.python else [],
        env=gateway.spark_env(
            driver.env,
            home=spark_home(),
            conf_dir=conf.empty_conf_dir(state),
            java_home=java.home,
            python=sys.executable,
        ),
        cwd=str(work),
        log=str(log),
        properties={**settings, "spark.app.name": driver.name},
        state="" if own_jvm else str(state.root),
    )
