"""Lint agrees with Argo's linter, names every problem, and says what this machine refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.manifest import from_text, lint, load, notices, warnings
from pipelines.local.manifest.generate import ARGO, module

CONFORMANCE = Path(__file__).parents[2] / "conformance"
RECORDED: dict[str, list[str]] = json.loads((CONFORMANCE / "goldens" / "lint.json").read_text())
OWN = sorted(name for name in RECORDED if name.startswith("lint/"))
# Argo finds these out only while it runs, or never; we say so before.
STRICTER = {
    "lint/depends-syntax": "unable to evaluate expression 'a.Succeeded &&': unexpected token EOF (1:14)",
    "lint/hook-template-undefined": "template name 'nowhere' undefined",
    "lint/cron-schedule-none": "a CronWorkflow without a schedule never runs",
    "lint/cron-timezone": "unknown time zone Europe/Nowhere: the schedule would never run",
    "lint/retry-backoff-duration": 'unable to parse soon as a duration: time: invalid duration "soon"',
}


def _messages(path: Path) -> list[str]:
    found = [problem.message for problem in lint(load([path]))]
    unknown = sorted(each for each in found if each.startswith("unknown field"))
    return [*found, f"strict decoding error: {', '.join(unknown)}"] if unknown else found


@pytest.mark.parametrize("name", OWN)
def test_recorded(name: str) -> None:
    """What the real linter said of a file, we say too; what it lets pass, we let pass or have a reason."""
    expected, found = RECORDED[name], _messages(CONFORMANCE / f"{name}.yaml")
    for text in expected:
        assert text in found
    refused = [each for each in found if "is not supported on this machine" in each]
    if not expected:
        assert found in (refused, [STRICTER.get(name)])


def test_the_modules_examples() -> None:
    """Every example that Argo's linter accepts we accept, or refuse for a field that this machine does not support."""
    accepted = 0
    for path in sorted((module(*ARGO) / "examples").glob("*.yaml")):
        problems = [each for each in lint(load([path])) if "is not supported on this machine" not in each.message]
        if path.name in NOT_VALID:
            assert problems, path.name
            continue
        assert not problems, f"{path.name}: {problems[0]}"
        accepted += 1
    assert accepted > 150


# The real linter refuses it on its own: it needs a template of another file.
NOT_VALID = {"dag-inline-cronworkflow.yaml"}


def _workflow(*templates: str, spec: str = "") -> str:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec:\n  entrypoint: main\n"
    body = "".join(f"  - {template}\n" for template in templates)
    return f"{head}{spec}  templates:\n  - {{name: ok, container: {{image: busybox}}}}\n{body}"


def _problems(text: str) -> list[tuple[str, str, int]]:
    return [(each.path, each.message, each.line) for each in lint(from_text(text))]


def test_every_problem_with_its_place() -> None:
    """All problems are told, each with the path and the line of its field."""
    text = _workflow(
        "{name: main, steps: [[{name: a, template: gone}],\n"
        "    [{name: b, template: ok, when: '{{steps.c.status}}'}]]}",
        "{name: odd, container: {image: busybox, comand: [x]}}",
    )
    assert _problems(text) == [
        ("spec.templates[2].container.comand", 'unknown field "spec.templates[2].container.comand"', 10),
        ("spec.templates[1].steps[0][0].template", "templates.main.steps[0].a template name 'gone' undefined", 8),
        ("spec.templates[1].steps[1][0].when", "templates.main.steps failed to resolve {{steps.c.status}}", 9),
    ]


def test_references_between_documents() -> None:
    """A templateRef is followed into another document; its problem is told where it stands."""
    template = (
        "---\napiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: lib}\nspec:\n  templates:\n"
        "  - {name: hi, inputs: {parameters: [{name: who}]}, "
        "container: {image: busybox, args: ['{{inputs.parameters.wo}}']}}\n"
    )
    call = "{name: main, steps: [[{name: a, templateRef: {name: lib, template: hi}}]]}"
    found = lint(from_text(_workflow(call) + template))
    assert [(each.path, each.line, each.message) for each in found] == [
        (
            "spec.templates[0].container.args[0]",
            15,
            "templates.main.steps[0].a templates.hi: failed to resolve {{inputs.parameters.wo}}",
        ),
        (
            "spec.templates[1].steps[0][0]",
            8,
            "templates.main.steps[0].a templates.hi inputs.parameters.who was not supplied",
        ),
        (
            "spec.templates[0].container.args[0]",
            15,
            "templates.hi templates.hi: failed to resolve {{inputs.parameters.wo}}",
        ),
    ]


def test_cycle_is_named() -> None:
    """A cycle between tasks is told with Argo's words, and by the tasks in it."""
    tasks = "{name: a, template: ok, dependencies: [b]}, {name: b, template: ok, dependencies: [a]}"
    messages = [message for _, message, _ in _problems(_workflow(f"{{name: main, dag: {{tasks: [{tasks}]}}}}"))]
    assert messages == [
        "templates.main sorting failed: graph with cycle",
        "templates.main.tasks dependency cycle detected: a->b->a",
    ]


@pytest.mark.parametrize(
    ("template", "path", "reason"),
    [
        ("{name: main, http: {url: x}}", "spec.templates[1].http", "there is no agent"),
        (
            "{name: main, container: {image: x, volumeMounts: []}}",
            "spec.templates[1].container.volumeMounts",
            "volumes",
        ),
        ("{name: main, daemon: true, container: {image: x}}", "spec.templates[1].daemon", "one process"),
    ],
)
def test_refused_fields(template: str, path: str, reason: str) -> None:
    """A field that this machine does not support is told with its path and the reason."""
    found = [(each.path, each.message) for each in lint(from_text(_workflow(template)))]
    assert (path, reason) in [
        (p, reason) for p, message in found if "is not supported" in message and reason in message
    ]


def test_resource_manifests_are_read() -> None:
    """The object that a resource template creates is checked as far as tags allow."""
    manifest = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"generateName": "x-"},
        "spec": {
            "type": "Phyton",
            "sparkVersion": "{{inputs.parameters.version}}",
            "mainApplicationFile": "local:///a.py",
            "driver": {"coresx": 1, "cores": "two"},
        },
    }
    resource: dict[str, Any] = {"action": "create", "manifest": json.dumps(manifest)}
    template = {"name": "main", "inputs": {"parameters": [{"name": "version"}]}, "resource": resource}
    found = [message for _, message, _ in _problems(_workflow(json.dumps(template)))]
    assert 'spec.type: Unsupported value: "Phyton": supported values: "Java", "Python", "Scala", "R"' in found
    assert 'spec.driver.coresx: unknown field "spec.driver.coresx"' in found
    assert "spec.executor: Required value" in found
    wrong = 'Invalid value: "string": spec.driver.cores in body must be of type integer: "string"'
    assert f"spec.driver.cores: {wrong}" in found
    assert not any("sparkVersion" in each for each in found)
    late = {each.message.split(":")[0]: each.late for each in lint(from_text(_workflow(json.dumps(template))))}
    assert late["spec.executor"]
    assert not late["spec.driver.coresx"]


def test_spark_applications_that_cannot_be_played() -> None:
    """What the operator of this machine cannot do is told before any step starts, also of a schedule's template."""
    template = {
        "type": "Python",
        "mode": "client",
        "sparkVersion": "4.1.4",
        "mainApplicationFile": "s3a://bucket/a.py",
        "driver": {"cores": 1},
        "executor": {"cores": 1},
    }
    scheduled = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "ScheduledSparkApplication",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 2 * * 7", "template": template},
    }
    found = {each.path: each.message for each in lint(from_text(json.dumps(scheduled)))}
    assert "only cluster is supported" in found["spec.template.mode"]
    assert "is not in the image" in found["spec.template.mainApplicationFile"]
    assert found["spec.schedule"].startswith("cron schedule 0 2 * * 7 is malformed")
    application = {"apiVersion": scheduled["apiVersion"], "kind": "SparkApplication", "spec": template}
    manifest = json.dumps({**application, "metadata": {"generateName": "x-"}}).replace(
        "s3a://bucket", "{{workflow.name}}"
    )
    resource = {"name": "main", "resource": {"action": "create", "manifest": manifest}}
    messages = [message for _, message, _ in _problems(_workflow(json.dumps(resource)))]
    assert messages == ["spec.mode: only cluster is supported, not 'client'"]


def test_notices_are_told_once() -> None:
    """A field without effect is told once however often it is used."""
    text = _workflow(
        "{name: main, nodeSelector: {a: b}, container: {image: busybox}}",
        "{name: two, nodeSelector: {a: c}, container: {image: busybox}}",
        spec="  affinity: {}\n",
    )
    found = notices(from_text(text + "---\nkind: ServiceAccount\nmetadata: {name: s}\n"))
    assert [each.path for each in found] == ["spec.affinity", "spec.templates[1].nodeSelector", ""]
    assert "ServiceAccount has no effect" in found[-1].message


def test_pitfalls_are_warnings() -> None:
    """What Argo accepts and rarely does what was meant is a warning, not a problem."""
    retry = "{name: main, retryStrategy: {backoff: {duration: 1s}}, container: {image: busybox}}"
    assert not _problems(_workflow(retry))
    assert "ignored without a limit" in warnings(from_text(_workflow(retry)))[0].message


def test_config_data_are_texts() -> None:
    """A number in a ConfigMap's data is refused, as the API server does."""
    found = lint(from_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\ndat: {}\n"))
    assert [each.path for each in found] == ["dat", "data.a"]
