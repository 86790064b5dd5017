"""What a SparkApplication may say here, and what is told about the rest."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pipelines.local.spark.fields import notices, problems

GOOD = """
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {generateName: extract-}
spec:
  type: Python
  sparkVersion: 4.1.4
  mode: cluster
  image: batchlab/work:x
  mainApplicationFile: local:///opt/batchlab/pipelines/ingest/extract.py
  arguments: ["--ds", "2013-03-09"]
  sparkConf: {spark.sql.shuffle.partitions: "2"}
  restartPolicy: {type: Never}
  driver: {cores: 1, memory: 1g, serviceAccount: spark}
  executor: {instances: 1, cores: 2, memory: 1g}
"""


def good() -> dict[str, Any]:
    """Return a manifest that runs."""
    found: dict[str, Any] = yaml.safe_load(GOOD)
    return found


def test_good_manifest_has_no_problem() -> None:
    """A manifest that runs is not complained about; what has no effect is named."""
    assert list(problems(good())) == []
    assert list(notices(good())) == ["spec.driver.serviceAccount"]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("spec.mainClas", "x", "spec.mainClas: unknown field"),
        ("spec.driver.memroy", "1g", "spec.driver.memroy: unknown field"),
        ("spec.restartPolicy.onFailureRetry", 1, "spec.restartPolicy.onFailureRetry: unknown field"),
        ("spec.volumes", [], "spec.volumes: cannot be played"),
        ("spec.driver.sidecars", [], "spec.driver.sidecars: cannot be played"),
        ("spec.deps.archives", ["local:///a.zip"], "spec.deps.archives: cannot be played"),
        ("spec.type", "Perl", "spec.type: Unsupported value"),
        ("spec.type", "R", "spec.type: R programs"),
        ("spec.type", "Java", "spec.mainClass: is required for Java"),
        ("spec.mode", "client", "spec.mode: only cluster"),
        ("spec.sparkConf.spark.x", 2, "spec.sparkConf.spark.x: must be a string"),
        ("spec.driver.memory", "lots", "spec.driver.memory: 'lots' is no JVM memory size"),
        ("spec.executor.cores", 0, "spec.executor.cores: must be an integer"),
        ("spec.executor.instances", "2", "spec.executor.instances: must be an integer"),
        ("spec.restartPolicy.type", "Sometimes", "spec.restartPolicy.type: Unsupported value"),
        ("spec.mainApplicationFile", "extract.py", "spec.mainApplicationFile: 'extract.py' is not in the image"),
        ("spec.deps.jars", ["https://x/y.jar"], "spec.deps.jars[0]: 'https://x/y.jar' is not in the image"),
        ("spec.driver.env", [{"name": "A", "valueFrom": {"fieldRef": {}}}], "spec.driver.env[0].valueFrom.fieldRef"),
        ("metadata.name", "Upper_Case", "metadata.name: invalid SparkApplication name"),
        ("metadata.name", "x" * 64, "metadata.name: invalid SparkApplication name"),
        ("apiVersion", "v1", "apiVersion: 'v1'"),
    ],
)
def test_problem_names_its_field(path: str, value: Any, told: str) -> None:
    """Each problem is one line that begins with the field's path."""
    manifest = good()
    *parents, last = path.split(".", 2) if ".spark." in path else path.split(".")
    holder = manifest
    for name in parents:
        holder = holder.setdefault(name, {})
    holder[last] = value
    found = list(problems(manifest))
    assert any(one.startswith(told) for one in found), found


@pytest.mark.parametrize("field", ["type", "sparkVersion", "mainApplicationFile", "driver", "executor"])
def test_required_field(field: str) -> None:
    """A required field that is left out is named."""
    manifest = good()
    del manifest["spec"][field]
    assert f"spec.{field}: is required" in list(problems(manifest))
