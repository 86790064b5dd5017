"""Names of objects that a resource template creates."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks.object_names import same_for


def template(*parameters: dict[str, str]) -> dict[str, Any]:
    """A WorkflowTemplate whose only step gets some parameters."""
    task = {"name": "spark", "arguments": {"parameters": list(parameters)}}
    return {"spec": {"templates": [{"name": "main", "dag": {"tasks": [task]}}]}}


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("", "every run"),
        ("curate", "every run"),
        ("curate-{{inputs.parameters.ds}}", "every run"),
        ("curate-{{workflow.parameters.image}}-{{retries}}", "every run"),
        ("curate-{{workflow.name}}", "every attempt"),
        ("curate-{{workflow.uid}}-{{retries}}", ""),
        ("curate-{{= sprig.trunc(8, workflow.uid) }}-{{= retries }}", ""),
        ("{{pod.name}}", ""),
        ("curate-{{inputs.parameters.app}}", ""),
        ("curate-{{inputs.parameters.first}}", ""),
        ("curate-{{inputs.parameters.made}}", ""),
    ],
)
def test_what_tells_names_apart(name: str, same: str) -> None:
    """A name differs by run if it holds the run's own name or id, even through parameters, and by attempt likewise."""
    document = template(
        {"name": "ds", "value": "{{workflow.parameters.ds}}"},
        {"name": "app", "value": "{{workflow.name}}-{{retries}}"},
        {"name": "first", "value": "{{inputs.parameters.app}}"},
        {"name": "made", "value": "{{tasks.choose.outputs.parameters.name}}"},
    )
    assert same_for(name, document, retried=True) == same


def test_attempts_matter_only_where_there_are_several() -> None:
    """The name of a step that is not retried needs to differ by run alone."""
    assert same_for("curate-{{workflow.name}}", template(), retried=False) == ""
