"""The dbt project: documented, tested, in step with the tables, and never written to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.datatier.dates import LogicalDate
from pipelines.transform.build import PROJECT, dbt_arguments
from pipelines.transform.tables import CURATED, MARTS


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as dbt parses it, without a session."""
    from dbt.cli.main import dbtRunner

    work = tmp_path_factory.mktemp("dbt")
    arguments = dbt_arguments(LogicalDate.parse("2013-03-09"), work)
    arguments[arguments.index("build")] = "parse"
    done = dbtRunner().invoke(arguments)
    assert done.success, done.exception
    found: dict[str, Any] = json.loads((work / "target" / "manifest.json").read_text())
    return found


def test_every_column_of_every_model_is_described(manifest: dict[str, Any]) -> None:
    """Marts have exactly the columns of their tables, each with a description."""
    for mart in MARTS:
        node = manifest["nodes"][f"model.datatier.{mart.name.rpartition('.')[2]}"]
        assert tuple(node["columns"]) == mart.column_names
        assert all(column["description"] for column in node["columns"].values())
        assert node["description"]


def test_every_mart_has_schema_tests_and_singular_tests(manifest: dict[str, Any]) -> None:
    """A unique key, no NULLs, a range, and two tests of its own that compare it with the flights."""
    for mart in MARTS:
        name = f"model.datatier.{mart.name.rpartition('.')[2]}"
        tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
        mine = [test for test in tests if name in test["depends_on"]["nodes"]]
        generic = {
            test["test_metadata"]["name"]: test["test_metadata"]["kwargs"] for test in mine if test.get("test_metadata")
        }
        assert {"unique_key", "no_nulls", "within"} <= set(generic)
        assert len([test for test in mine if not test.get("test_metadata")]) == 2
        assert generic["unique_key"]["columns"] == list(mart.key)


def test_failing_rows_are_kept(manifest: dict[str, Any]) -> None:
    """Every test stores what fails."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert all(test["config"]["store_failures"] for test in tests)


def test_the_source_has_no_column_that_spark_does_not_write() -> None:
    """What dbt reads of the curated table is in it."""
    described = yaml.safe_load((PROJECT / "models" / "sources.yml").read_text())["sources"][0]["tables"][0]["columns"]
    assert {column["name"] for column in described} <= set(CURATED.column_names)


def test_a_mart_is_replaced_by_its_day_in_any_overwrite_mode() -> None:
    """The statement names what goes, so that a day without rows is emptied."""
    macro = (PROJECT / "macros" / "insert_overwrite.sql").read_text()
    assert "insert into table {{ target_relation }} replace where flight_date = {{ ds() }}" in macro


def test_dbt_writes_below_the_working_directory_only(tmp_path: Path, manifest: dict[str, Any]) -> None:
    """Targets and logs of parallel runs never meet, and the code's tree stays as it was."""
    arguments = dbt_arguments(LogicalDate.parse("2013-03-09"), tmp_path)
    written = [value for value in arguments if value.startswith(("--target-path=", "--log-path="))]
    assert len(written) == 2
    assert all(value.partition("=")[2].startswith(str(tmp_path)) for value in written)
    assert not [name for name in ("target", "logs", "dbt_packages", ".user.yml") if (PROJECT / name).exists()]
    assert manifest["nodes"]
