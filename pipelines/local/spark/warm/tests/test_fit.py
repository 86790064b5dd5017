"""What a warm JVM can give, and what needs one of its own."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.local.spark.warm.fit import misfit


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, ""),
        ({"conf": {"spark.sql.shuffle.partitions": "2", "spark.master": "local[2]"}}, ""),
        ({"env": {"POSTGRES_PASSWORD": "x", "TZ": "UTC", "AWS_CA_BUNDLE": "/x"}}, ""),
        ({"memory": 2 << 30}, "heap of 2048 MiB"),
        ({"java_options": ("-Da=b",)}, "JVM options"),
        ({"files": ("x.jar",)}, "files"),
        ({"conf": {"spark.driver.extraClassPath": "/x"}}, "spark.driver.extraClassPath"),
        ({"conf": {"spark.jars.packages": "a:b:1"}}, "spark.jars.packages"),
        ({"conf": {"spark.sql.catalogImplementation": "hive"}}, "Hive"),
        ({"conf": {"spark.master": "spark://x:7077"}}, "spark://x:7077"),
        ({"conf": {"spark.x": "${env:TOKEN}"}}, "spark.x refers to the environment"),
        ({"env": {"AWS_ACCESS_KEY_ID": "x"}}, "AWS_ACCESS_KEY_ID"),
        ({"env": {"OPENLINEAGE_DISABLED": "true"}}, "OPENLINEAGE_DISABLED"),
        ({"env": {"JAVA_TOOL_OPTIONS": "-Da=b"}}, "JAVA_TOOL_OPTIONS"),
        ({"env": {"TZ": "America/New_York"}}, "time zone"),
    ],
)
def test_reason_is_given(asked: dict[str, Any], reason: str) -> None:
    """Whatever only a JVM's start can honour is a reason for a new one."""
    asked = {"conf": {}, "env": {}, "memory": 1 << 30, **asked}
    assert (reason in misfit(**asked)) if reason else misfit(**asked) == ""
