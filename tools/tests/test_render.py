"""The manifests on disk are those that would be rendered, and a cluster would take them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipelines.local.lang import Lang
from pipelines.local.manifest import lint, load
from pipelines.local.manifest.generate import ARGO, SPARK, module

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "cluster" / "apps"
FOLDERS = ("ingest", "transform", "publish", "daily")
# file → the first 16 hex digits of its SHA-256: what was looked at is what is looked at
ARGO_CRDS = Path("manifests/base/crds/full")
SPARK_CRDS = Path("charts/spark-operator-chart/crds")
PINNED = {
    "WorkflowTemplate": (ARGO, ARGO_CRDS / "argoproj.io_workflowtemplates.yaml", "b52ca3ef1a675720"),
    "CronWorkflow": (ARGO, ARGO_CRDS / "argoproj.io_cronworkflows.yaml", "f11cee3fc8600075"),
    "SparkApplication": (SPARK, SPARK_CRDS / "sparkoperator.k8s.io_sparkapplications.yaml", "ecd9c14fcadb9d5f"),
}


def _render() -> Any:
    spec = importlib.util.spec_from_file_location("render", ROOT / "tools" / "render.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def _manifests() -> list[Path]:
    return sorted(path for name in FOLDERS for path in (APPS / name).glob("*.yaml"))


@cache
def _schema(kind: str) -> dict[str, Any]:
    source, path, digest = PINNED[kind]
    text = (module(*source) / path).read_bytes()
    assert hashlib.sha256(text).hexdigest()[:16] == digest
    schema = _strict(yaml.load(text, yaml.CSafeLoader)["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}  # the API server's own
    return schema


def _strict(schema: Any) -> Any:
    """Refuse unknown fields where a Kubernetes API server would drop them, and know its integers-or-strings."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: _strict(value) for key, value in schema.items() if key != "format"}
    free = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and "properties" in schema and not free:
        made["additionalProperties"] = False
    return made


def _problems(document: dict[str, Any]) -> list[str]:
    found = jsonschema.Draft7Validator(_schema(document["kind"])).iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def _applications() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in _manifests():
        for template in yaml.safe_load(path.read_text())["spec"].get("templates", []):
            if "resource" in template:
                text = re.sub(r"\{\{.*?\}\}", "x", template["resource"]["manifest"])
                yield f"{path.parent.name}.{template['name']}", yaml.safe_load(text)


def test_what_is_on_disk_is_what_would_be_rendered() -> None:
    """`make render` would change nothing."""
    assert _render().differences() == []


def test_a_difference_and_a_stray_file_are_told(tmp_path: Path) -> None:
    """The check sees an edited file, a missing one and one too many."""
    render = _render()
    for path, text in render.rendered().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert render.differences(tmp_path) == []
    (tmp_path / "daily" / "cron-workflow.yaml").unlink()
    edited = tmp_path / "ingest" / "cron-workflow.yaml"
    edited.write_text(edited.read_text().replace("Forbid", "Allow"))
    (tmp_path / "publish" / "old.yaml").write_text("kind: Workflow\n")
    found = "\n".join(render.differences(tmp_path))
    assert "+  concurrencyPolicy: Forbid" in found
    assert "+kind: CronWorkflow" in found
    assert "publish/old.yaml: on disk, but not rendered" in found


@pytest.mark.parametrize("path", _manifests(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_manifest_meets_the_schema_of_argo(path: Path) -> None:
    """Every manifest is valid by the full CRDs of Argo 3.7.6."""
    assert _problems(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize(
    ("name", "application"), list(_applications()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_application_meets_the_schema_of_the_operator(name: str, application: dict[str, Any]) -> None:
    """Every SparkApplication inside a resource template is valid by the CRD of Spark Operator 2.4.0."""
    assert _problems(application) == []


def test_the_schema_check_sees_a_typo() -> None:
    """A misspelt field deep inside is a problem, so the tests above can fail."""
    document = yaml.safe_load((APPS / "ingest" / "workflow-template.yaml").read_text())
    document["spec"]["templates"][0]["container"]["imagee"] = "x"
    application = next(_applications())[1]
    application["spec"]["driver"]["memoryy"] = "1g"
    assert any("imagee" in problem for problem in _problems(document))
    assert any("memoryy" in problem for problem in _problems(application))


def test_the_linter_finds_nothing() -> None:
    """All manifests together pass the rules of `argo lint`."""
    assert [str(problem) for problem in lint(load(_manifests()))] == []


def test_names_of_applications_leave_room_for_pods() -> None:
    """The driver pod's name, `<application>-driver`, is a DNS label of at most 63 characters, on every attempt."""
    for path in _manifests():
        for template in yaml.safe_load(path.read_text())["spec"].get("templates", []):
            if "resource" in template:
                name = yaml.safe_load(template["resource"]["manifest"])["metadata"]["name"]
                fixed = re.sub(r"\{\{=.*?\}\}", "0123456789", name).replace("{{retries}}", "99")
                assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", fixed)
                assert len(f"{fixed}-driver") <= 63


@pytest.mark.parametrize(
    ("scheduled", "shift", "expected"),
    [
        ("2013-03-10T11:00:00Z", "0", "2013-03-09"),
        ("2013-03-11T11:00:00Z", "0", "2013-03-10"),
        ("2013-11-03T12:00:00Z", "0", "2013-11-02"),
        ("2014-01-01T12:00:00Z", "0", "2013-12-31"),
        ("2026-03-11T03:30:00Z", "-13", "2013-03-09"),
        ("2024-03-01T12:00:00Z", "-11", "2013-02-28"),
    ],
)
def test_logical_date_is_the_day_before_in_new_york(scheduled: str, shift: str, expected: str) -> None:
    """The schedule's expression gives the flight date: over DST, the year's end, and years shifted back."""
    cron = yaml.safe_load((APPS / "daily" / "cron-workflow.yaml").read_text())
    tag = cron["spec"]["workflowSpec"]["arguments"]["parameters"][0]["value"]
    environment = {"workflow.scheduledTime": scheduled, "workflow.parameters.yearShift": shift}
    assert Lang.shared().expr(tag.removeprefix("{{=").removesuffix("}}"), environment) == expected


def test_lineage_run_id_is_a_uuid_of_uid_and_node() -> None:
    """Who knows the workflow's uid and the node's name can compute the run id."""
    template = yaml.safe_load((APPS / "ingest" / "workflow-template.yaml").read_text())["spec"]["templates"][1]
    tag = template["inputs"]["parameters"][-1]["value"]
    found = Lang.shared().expr(
        tag.removeprefix("{{=").removesuffix("}}"), {"workflow.uid": "u-1", "node.name": "ingest-x.extract"}
    )
    digest = hashlib.sha1(b"u-1/ingest-x.extract").hexdigest()
    assert uuid.UUID(found).version == 5
    assert found.replace("-", "")[:12] == digest[:12]
    assert found.replace("-", "")[13:16] == digest[13:16]
