"""A SparkApplication resource as a driver to run: files, arguments, configuration, environment."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.local.spark import jars

if TYPE_CHECKING:
    from pipelines.local.engine.images import Image
    from pipelines.local.engine.operators import StepPlace

DEFAULT_MEMORY = "1g"
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


class SubmissionFailed(Exception):  # noqa: N818 - the operator's state of that name
    """What spark-submit would have refused; the message is its reason."""


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One driver to run.

    `image` is what it runs in. `conf` is what the manifest asks for (spark.* keys), without the local defaults.
    `memory` is the heap in bytes that driver and executor need in one JVM. `java_options` are JVM flags; `jars` are
    files for the class path.
    """

    name: str
    image: Image
    main: Path
    main_class: str
    python: bool
    arguments: tuple[str, ...]
    conf: Mapping[str, str]
    env: Mapping[str, str]
    jars: tuple[Path, ...]
    py_files: tuple[Path, ...]
    files: tuple[Path, ...]
    memory: int
    cores: int
    java_options: tuple[str, ...]


def translate(app: Mapping[str, Any], place: StepPlace) -> Driver:
    """Turn a checked SparkApplication into a driver.

    Raises:
        SubmissionFailed: an image, file, Secret or ConfigMap that it names is not there.
    """
    spec = app["spec"]
    driver, executor, deps = spec["driver"], spec["executor"], spec.get("deps") or {}
    image = _image(driver.get("image") or spec.get("image"), place)
    conf = {str(key): str(value) for key, value in (spec.get("sparkConf") or {}).items()}
    conf |= {f"spark.hadoop.{key}": str(value) for key, value in (spec.get("hadoopConf") or {}).items()}
    _pod_conf(conf, "driver", driver)
    _pod_conf(conf, "executor", executor)
    if "instances" in executor:
        conf["spark.executor.instances"] = str(executor["instances"])
    # Python workers see what executors would: their own variables, and the image's code
    code = {"PYTHONPATH": image.env["PYTHONPATH"]} if "PYTHONPATH" in image.env else {}
    for key, value in {**code, **_environment(executor, place)}.items():
        conf.setdefault(f"spark.executorEnv.{key}", value)
    _check_packages(deps.get("packages") or [])
    memory = max(parse_memory(conf.get(f"spark.{role}.memory", DEFAULT_MEMORY)) for role in ("driver", "executor"))
    return Driver(
        name=str(app["metadata"]["name"]),
        image=image,
        main=_local(spec["mainApplicationFile"], image),
        main_class=spec.get("mainClass") or "",
        python=spec["type"] == "Python",
        arguments=tuple(str(argument) for argument in spec.get("arguments") or []),
        conf=conf,
        env={**image.env, **place.env, **_environment(driver, place)},
        jars=tuple(_local(file, image) for file in deps.get("jars") or []),
        py_files=tuple(_local(file, image) for file in deps.get("pyFiles") or []),
        files=tuple(_local(file, image) for file in deps.get("files") or []),
        memory=memory,
        cores=_cores(conf),
        java_options=tuple(shlex.split(conf.get("spark.driver.extraJavaOptions", ""))),
    )


def parse_memory(text: str) -> int:
    """Return the bytes of a JVM memory string such as `512m` or `1g`; a bare number is MiB, as Spark reads it."""
    number = text.strip().lower().removesuffix("b") or "0"
    unit = number[-1] if number[-1] in _UNITS else "m"
    try:
        return int(number.rstrip("bkmgtp")) * _UNITS[unit]
    except ValueError:
        raise SubmissionFailed(f"{text!r} is no memory size") from None


def _image(name: str | None, place: StepPlace) -> Image:
    if not name:
        raise SubmissionFailed("Must specify the driver container image")
    if place.image is not None and place.image.name == name:
        return place.image
    image: Image | None = place.images.find(name)
    if image is None:
        raise SubmissionFailed(f"image {name!r} cannot run on this machine")
    return image


def _local(uri: str, image: Image) -> Path:
    """Map `local:///path/in/image` to the file on this machine; it need not exist, as in a pod."""
    path = image.local_path(uri.removeprefix("local://"))
    return path or Path(uri.removeprefix("local://"))


def _pod_conf(conf: dict[str, str], role: str, pod: Mapping[str, Any]) -> None:
    for field, key in (("cores", "cores"), ("memory", "memory"), ("javaOptions", "extraJavaOptions")):
        if field in pod:
            conf[f"spark.{role}.{key}"] = str(pod[field])


def _cores(conf: Mapping[str, str]) -> int:
    """Return how many tasks run at once: what all executors have together, within this machine's cores."""
    asked = math.prod(_positive(conf.get(f"spark.executor.{key}", "1")) for key in ("instances", "cores"))
    return max(1, min(asked, os.cpu_count() or 1))


def _positive(text: str) -> int:
    return int(text) if text.isdigit() and int(text) > 0 else 1


def _check_packages(packages: list[str]) -> None:
    known = {jar.coordinates for jar in jars.locked("spark")}
    for coordinates in packages:
        if coordinates not in known:
            baked = ", ".join(sorted(known))
            raise SubmissionFailed(f"unresolved dependency: {coordinates}: not found (the image has {baked})")


def _environment(pod: Mapping[str, Any], place: StepPlace) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in pod.get("envFrom") or []:
        prefix = source.get("prefix", "")
        for kind, look_up in (("secretRef", place.secret), ("configMapRef", place.config_map)):
            if reference := source.get(kind):
                values = _object(look_up, reference["name"], optional=bool(reference.get("optional")))
                env |= {prefix + key: value for key, value in values.items()}
    env |= {str(key): str(value) for key, value in (pod.get("envVars") or {}).items()}
    for name, reference in (pod.get("envSecretKeyRefs") or {}).items():
        env |= _key(name, place.secret, reference)
    for entry in pod.get("env") or []:
        source = entry.get("valueFrom") or {}
        if "secretKeyRef" in source:
            env |= _key(entry["name"], place.secret, source["secretKeyRef"])
        elif "configMapKeyRef" in source:
            env |= _key(entry["name"], place.config_map, source["configMapKeyRef"])
        else:
            env[entry["name"]] = str(entry.get("value", ""))
    return env


def _object(look_up: Any, name: str, *, optional: bool) -> Mapping[str, str]:
    try:
        found: Mapping[str, str] = look_up(name)
    except KeyError:
        if optional:
            return {}
        raise SubmissionFailed(f'object "{name}" not found') from None
    return found


def _key(variable: str, look_up: Any, reference: Mapping[str, Any]) -> dict[str, str]:
    """Return the variable with the key's value; nothing where the reference is optional and the key absent."""
    values = _object(look_up, reference["name"], optional=bool(reference.get("optional")))
    if reference["key"] in values:
        return {variable: values[reference["key"]]}
    if reference.get("optional"):
        return {}
    raise SubmissionFailed(f'couldn\'t find key {reference["key"]} in "{reference["name"]}"')
