"""From resource to driver: files, settings, environment, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.local.engine.images import Image, ImageTable
from pipelines.local.engine.operators import StepPlace
from pipelines.local.spark.application import SubmissionFailed, parse_memory, translate
from pipelines.local.spark.tests.test_fields import good


def place(tmp_path: Path) -> StepPlace:
    """Return a place whose image is the folder `code`."""
    image = Image(name="batchlab/work:x", mounts={"/opt/batchlab": tmp_path / "code"}, env={"PYTHONPATH": "/code"})
    return StepPlace(
        directory=tmp_path,
        env={"LANG": "C.UTF-8"},
        image=image,
        images=ImageTable({"batchlab/work:x": image}),
        lifeline_fd=0,
        secret={"lake-credentials": {"postgresUser": "me"}}.__getitem__,
        config_map={"lake": {"yearShift": "0"}}.__getitem__,
        wake=lambda: None,
    )


def application(**spec: Any) -> dict[str, Any]:
    """Return the good manifest, named, with other spec fields."""
    app = good()
    app["metadata"] = {"name": "extract-1", "uid": "u"}
    app["spec"].update(spec)
    return app


def test_driver_has_what_the_manifest_says(tmp_path: Path) -> None:
    """Files are the image's, settings come from every field that is one, the larger memory counts."""
    app = application(
        hadoopConf={"fs.x": "1"},
        executor={"instances": 2, "cores": 1, "memory": "2g"},
        deps={"pyFiles": ["local:///opt/batchlab/lib.zip"]},
    )
    driver = translate(app, place(tmp_path))
    assert driver.main == tmp_path / "code/pipelines/ingest/extract.py"
    assert driver.arguments == ("--ds", "2013-03-09")
    assert driver.py_files == (tmp_path / "code/lib.zip",)
    assert driver.memory == 2 << 30
    assert (
        driver.conf.items()
        >= {
            "spark.sql.shuffle.partitions": "2",
            "spark.hadoop.fs.x": "1",
            "spark.driver.memory": "1g",
            "spark.executor.instances": "2",
            "spark.executorEnv.PYTHONPATH": "/code",
        }.items()
    )


def test_environment_takes_keys_of_secrets_and_config_maps(tmp_path: Path) -> None:
    """Every way of naming a key works; later ways win; an optional key that is absent sets nothing."""
    driver = {
        "envVars": {"A": "1", "B": "1"},
        "envFrom": [
            {"prefix": "L_", "configMapRef": {"name": "lake"}},
            {"secretRef": {"name": "no", "optional": True}},
        ],
        "envSecretKeyRefs": {"USER": {"name": "lake-credentials", "key": "postgresUser"}},
        "env": [
            {"name": "B", "value": "2"},
            {"name": "SHIFT", "valueFrom": {"configMapKeyRef": {"name": "lake", "key": "yearShift"}}},
            {
                "name": "NONE",
                "valueFrom": {"secretKeyRef": {"name": "lake-credentials", "key": "no", "optional": True}},
            },
        ],
    }
    env = translate(application(driver=driver), place(tmp_path)).env
    assert {"A": "1", "B": "2", "L_yearShift": "0", "USER": "me", "SHIFT": "0"}.items() <= env.items()
    assert "NONE" not in env


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"image": "other/image:1"}, "other/image:1"),
        ({"image": None}, "Must specify the driver container image"),
        ({"deps": {"packages": ["a:b:1"]}}, "a:b:1: not found"),
        ({"driver": {"envSecretKeyRefs": {"X": {"name": "absent", "key": "k"}}}}, 'object "absent" not found'),
        ({"driver": {"envSecretKeyRefs": {"X": {"name": "lake-credentials", "key": "k"}}}}, "couldn't find key k"),
    ],
)
def test_what_is_not_there_fails_the_submission(spec: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """An image, package, Secret or key that is absent fails the submission with its name."""
    with pytest.raises(SubmissionFailed, match=reason):
        translate(application(**spec), place(tmp_path))


def test_packages_of_the_image_are_there_already(tmp_path: Path) -> None:
    """Coordinates of the jars that the image has resolve to nothing more to do."""
    deps = {"packages": ["org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0"]}
    assert translate(application(deps=deps), place(tmp_path)).jars == ()


@pytest.mark.parametrize(
    ("text", "size"), [("512m", 512 << 20), ("2g", 2 << 30), ("1GB", 1 << 30), ("1024", 1 << 30), ("64k", 64 << 10)]
)
def test_memory_sizes_are_jvm_sizes(text: str, size: int) -> None:
    """Units are powers of two, a bare number is MiB."""
    assert parse_memory(text) == size
