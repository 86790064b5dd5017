"""The table answers every field, and nothing else; the schema is that of the pinned modules."""

from __future__ import annotations

import pytest

from pipelines.local.manifest import generate, schema, support
from pipelines.local.manifest.answers import Answer, reached, rule, table


def test_every_field_has_an_answer() -> None:
    """Each field that a manifest can reach is answered, and REFUSED and NOTICE say why."""
    for name in reached():
        for field in schema.types()[name].fields:
            found = rule(name, field)
            assert found is not None, f"{name}.{field} has no answer"
            assert found.reason or found.answer is Answer.RUN, f"{name}.{field} has no reason"


def test_no_answer_is_for_nothing() -> None:
    """No row is for a type or field that does not exist, or that cannot be reached."""
    seen = set(reached())
    for name, rules in table().items():
        assert name in seen, f"{name} cannot be reached"
        assert set(rules) <= set(schema.types()[name].fields), name


def test_support_page_is_generated() -> None:
    """SUPPORT.md is what the table says."""
    assert support.FILE.read_text() == support.text(), "run python -m pipelines.local.manifest.support --write"


def test_schema_is_that_of_the_modules() -> None:
    """schema.json is what Argo's schema and Spark Operator's CRDs say."""
    assert generate.text(generate.generate()) == schema.FILE.read_text()


def test_any_strings_are_known() -> None:
    """The texts that may be written as numbers come from Argo's structs, for its schema calls them strings."""
    kinds = {name for name, each in schema.types().items() if any("AnyString" in kind for kind in each.fields.values())}
    assert kinds == {"Parameter", "ValueFrom"}
    assert schema.types()["Parameter"].fields["enum"] == "[]AnyString"


@pytest.mark.parametrize("kind", ["Workflow", "CronWorkflow", "SparkApplication", "ScheduledSparkApplication"])
def test_kinds_are_there(kind: str) -> None:
    """The kinds that can be run have a spec that is answered RUN."""
    found = rule(kind, "spec")
    assert found is not None
    assert found.answer is Answer.RUN
