"""Finding cases and what belongs to them."""

from __future__ import annotations

import pytest

from pipelines.local.conformance.cases import cases, own_cases, workflow_in_go

_GO = """
func (s *Suite) TestOne() {
	s.Given().
		Workflow(`
metadata:
  name: a
`).
		Workflow(`
kind: Workflow
metadata:
  name: b
`)
}
"""


def test_a_workflow_is_cut_out_of_a_go_test_with_the_kind_it_gets_there() -> None:
    """The first by the test's name, later ones by number; a kind is added only where there is none."""
    assert workflow_in_go(_GO, "TestOne").splitlines()[:3] == [
        "apiVersion: argoproj.io/v1alpha1",
        "kind: Workflow",
        "metadata:",
    ]
    assert workflow_in_go(_GO, "TestOne.1").splitlines() == ["kind: Workflow", "metadata:", "  name: b"]
    with pytest.raises(LookupError, match="TestTwo"):
        workflow_in_go(_GO, "TestTwo")


def test_cases_have_names_that_a_workflow_can_have_and_say_what_they_pin() -> None:
    """Names are unique, short enough for pod names, and every file of ours begins with its purpose."""
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))
    assert all(len(name) <= 63 and name == name.lower() for name in names)
    assert [c.name for c in own_cases() if not c.files[0].read_text().startswith("# pins: ")] == []
