"""Which fields of a SparkApplication (v1beta2, Spark Operator 2.4) mean what on this machine.

`RUN` has the operator's meaning; `NOTICE` has no effect without a cluster, and is said; `REFUSED` would change what
runs and cannot be played, so it is told before anything starts. What is in no table is no field of the resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any


class Answer(Enum):
    """What this machine does with a field."""

    RUN = "run"
    NOTICE = "notice"
    REFUSED = "refused"


def _table(run: str, notice: str, refused: str) -> dict[str, Answer]:
    groups = ((run, Answer.RUN), (notice, Answer.NOTICE), (refused, Answer.REFUSED))
    return {name: answer for names, answer in groups for name in names.split()}


SPEC = _table(
    run="type sparkVersion mode image mainClass mainApplicationFile arguments sparkConf hadoopConf driver executor "
    "deps restartPolicy timeToLiveSeconds suspend pythonVersion dynamicAllocation",
    notice="imagePullPolicy imagePullSecrets nodeSelector failureRetries retryInterval memoryOverheadFactor "
    "monitoring batchScheduler batchSchedulerOptions sparkUIOptions driverIngressOptions",
    refused="proxyUser sparkConfigMap hadoopConfigMap volumes",
)
_POD_NOTICE = (
    "coreLimit coreRequest memoryLimit memoryOverhead labels annotations affinity tolerations podSecurityContext "
    "securityContext schedulerName hostNetwork nodeSelector dnsConfig terminationGracePeriodSeconds serviceAccount "
    "hostAliases shareProcessNamespace ports priorityClassName"
)
_POD_REFUSED = "template gpu configMaps secrets volumeMounts sidecars initContainers lifecycle"
DRIVER = _table(
    run="cores memory image env envVars envFrom envSecretKeyRefs javaOptions podName",
    notice=_POD_NOTICE + " kubernetesMaster serviceAnnotations serviceLabels",
    refused=_POD_REFUSED,
)
EXECUTOR = _table(
    run="cores memory instances image env envVars envFrom envSecretKeyRefs javaOptions",
    notice=_POD_NOTICE + " deleteOnTermination",
    refused=_POD_REFUSED,
)
DEPS = _table(run="jars files pyFiles packages", notice="excludePackages repositories", refused="archives")
RESTART = _table(
    run="type onFailureRetries onFailureRetryInterval onSubmissionFailureRetries onSubmissionFailureRetryInterval",
    notice="",
    refused="",
)
TABLES = {
    "spec": SPEC,
    "spec.driver": DRIVER,
    "spec.executor": EXECUTOR,
    "spec.deps": DEPS,
    "spec.restartPolicy": RESTART,
}
REQUIRED = ("type", "sparkVersion", "mainApplicationFile", "driver", "executor")
TYPES = ("Java", "Python", "Scala", "R")
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
MEMORY = re.compile(r"\d+[bkmgtp]?b?", re.IGNORECASE)


def problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a SparkApplication, or cannot run here, each with its field's path."""
    if manifest.get("apiVersion") != "sparkoperator.k8s.io/v1beta2":
        yield f"apiVersion: {manifest.get('apiVersion')!r} is not sparkoperator.k8s.io/v1beta2"
    yield from _name_problems(manifest.get("metadata") or {})
    spec = manifest.get("spec")
    if not isinstance(spec, Mapping):
        yield "spec: is required"
        return
    yield from (f"spec.{name}: is required" for name in REQUIRED if name not in spec)
    yield from _unknown_and_refused(spec)
    yield from _value_problems(spec)


def notices(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of fields that have no effect without a cluster."""
    spec = manifest.get("spec") or {}
    for path, holder in _holders(spec):
        yield from (f"{path}.{name}" for name in holder if TABLES[path].get(name) is Answer.NOTICE)


def _name_problems(metadata: Mapping[str, Any]) -> Iterator[str]:
    name = metadata.get("name")
    if not name and not metadata.get("generateName"):
        yield "metadata.name: is required (or metadata.generateName)"
    if name and "{{" not in name and (len(name) > 63 or not _DNS_1035.fullmatch(name)):
        yield (
            f'metadata.name: invalid SparkApplication name "{name}": a DNS-1035 label must consist of lower case '
            "alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric "
            "character, at most 63 of them"
        )


def _holders(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in TABLES:
        holder = spec if path == "spec" else spec.get(path.removeprefix("spec."))
        if isinstance(holder, Mapping):
            yield path, holder


def _unknown_and_refused(spec: Mapping[str, Any]) -> Iterator[str]:
    for path, holder in _holders(spec):
        for name in holder:
            answer = TABLES[path].get(name)
            if answer is None:
                yield f"{path}.{name}: unknown field"
            elif answer is Answer.REFUSED:
                yield f"{path}.{name}: cannot be played without a cluster"


def _value_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    kind = spec.get("type")
    if kind is not None and kind not in TYPES:
        yield f"spec.type: Unsupported value: {kind!r}: supported values: {', '.join(TYPES)}"
    if kind == "R":
        yield "spec.type: R programs cannot be played here"
    if spec.get("mode", "cluster") != "cluster":
        yield f"spec.mode: only cluster is supported, not {spec['mode']!r}"
    if str(spec.get("pythonVersion", "3")) != "3":
        yield "spec.pythonVersion: only 3 is supported"
    if kind in {"Java", "Scala"} and not spec.get("mainClass"):
        yield f"spec.mainClass: is required for {kind}"
    policy = (spec.get("restartPolicy") or {}).get("type", "Never")
    if policy not in {"Never", "OnFailure", "Always"}:
        yield f"spec.restartPolicy.type: Unsupported value: {policy!r}: supported values: Never, OnFailure, Always"
    yield from _conf_problems(spec)
    yield from _pod_problems(spec)
    yield from _file_problems(spec)


def _conf_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    for name in ("sparkConf", "hadoopConf"):
        conf = spec.get(name) or {}
        if not isinstance(conf, Mapping):
            yield f"spec.{name}: must be a map of strings"
            continue
        for key, value in conf.items():
            if not isinstance(value, str):
                yield f"spec.{name}.{key}: must be a string (quote it), not {value!r}"


def _pod_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    for role in ("driver", "executor"):
        pod = spec.get(role) or {}
        memory = pod.get("memory")
        if memory is not None and "{{" not in str(memory) and not MEMORY.fullmatch(str(memory)):
            yield f"spec.{role}.memory: {memory!r} is no JVM memory size such as 512m or 2g"
        for number in ("cores", "instances"):
            value = pod.get(number)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                yield f"spec.{role}.{number}: must be an integer of at least 1, not {value!r}"
        for index, entry in enumerate(pod.get("env") or []):
            source = entry.get("valueFrom") or {}
            for other in set(source) - {"secretKeyRef", "configMapKeyRef"}:
                yield f"spec.{role}.env[{index}].valueFrom.{other}: cannot be played without a cluster"


def _file_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    deps = spec.get("deps") or {}
    named = [("spec.mainApplicationFile", spec.get("mainApplicationFile"))]
    for kind in ("jars", "files", "pyFiles"):
        named += [(f"spec.deps.{kind}[{index}]", file) for index, file in enumerate(deps.get(kind) or [])]
    for path, file in named:
        if isinstance(file, str) and not file.startswith("local:///") and "{{" not in file:
            yield f"{path}: {file!r} is not in the image; only local:///… files can be played here"
