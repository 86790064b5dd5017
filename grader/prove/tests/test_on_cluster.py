"""The sample of the proof on a real cluster (`make prove-cluster`), and what it is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from grader.cluster import place
from grader.demo.display import Display
from grader.prove.on_cluster import SAMPLE, ClusterProver, cluster_checks, sample
from grader.submission.folder import PIPELINES
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir


@pytest.fixture(scope="module")
def prover(request: pytest.FixtureRequest) -> Iterator[ClusterProver]:
    """Prepare what the selected cases read from."""
    state = StateDir.locate()
    found = place.find(state)
    if found is None:
        pytest.skip("this checkout has no cluster: `batchlab cluster up`")
    chosen = [item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")]
    with closing(Display(state.logs / "prove-cluster.log")) as display:
        made = ClusterProver(state=state, place=found, display=display)
        with made.ground(sample([name for name in SAMPLE if name in chosen])):
            yield made


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", SAMPLE)
def test_the_cluster_judges_as_this_machine_does(prover: ClusterProver, name: str) -> None:
    """A mutant fails by the intended check, a variant raises no alarm."""
    (case,) = sample([name])
    verdict = prover.prove(case)
    print(json.dumps({"case": name, "check": case.check, "right": verdict.right, "seconds": verdict.seconds}))
    assert verdict.right, verdict.why


def test_the_sample_is_large_enough() -> None:
    """Mutants of all pipelines, and variants; each mutant's check can be answered by a cluster."""
    cases = sample()
    mutants = [case for case in cases if case.kind == "mutant"]
    assert len(mutants) >= 12
    assert len(cases) - len(mutants) >= 4
    assert {name for case in cases for name in case.scope} == set(PIPELINES)
    for case in mutants:
        assert case.check in {check.id for check in cluster_checks(case)}


def test_what_later_pipelines_read_is_still_there() -> None:
    """A case that plays a pipeline comes after those that read what the reference's left."""
    played = [PIPELINES.index(case.scope[0]) for case in sample() if any(check.needs for check in cluster_checks(case))]
    assert played == sorted(played, reverse=True)


def test_a_case_that_is_not_there() -> None:
    """The message names it."""
    with pytest.raises(BadInput, match="no mutant or variant nothing"):
        sample(["nothing"])
