"""Events that do not say which node ran them."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest

from grader.lineage.parents import Stray, strays
from grader.lineage.tests.story import CURATED, RAW, Story, parent_id, whole_day

RUN, NODE = "transform-again", "curate"
UID = f"uid-of-{RUN}"


def found(**more: Any) -> tuple[Stray, ...]:
    """What is found of one more write, whose parent a test gives."""
    story = Story()
    whole_day(story, "2013-03-09")
    story.run(RUN)
    story.event(RUN, NODE, {RAW: ""}, {CURATED: ""}, **more)
    return strays(story.executions(), story.runs, {CURATED, RAW})


def test_right_parents() -> None:
    """Every event of the reference's names its node, by name and by the derived id; so does one more run."""
    assert found() == ()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"parent": ""}, "its events name no parent"),
        ({"parent": "nightly.curate"}, "no run is called nightly"),
        ({"parent": f"{RUN}.cook"}, f"run {RUN} has no node cook"),
        ({"parent_run": "run-1"}, "its parent's run id is no UUID"),
        ({"parent_run": str(uuid.uuid4())}, "not derived from the workflow's uid and the node"),
        ({"parent_run": parent_id(UID, "curate(1)x")}, "not derived from the workflow's uid and the node"),
        (
            {"parent_run": parent_id("uid-of-transform-20130309-first", "transform-20130309-first.curate")},
            "is also that of transform-20130309-first.transform-20130309-first.curate",
        ),
    ],
)
def test_wrong_parents(more: dict[str, str], problem: str) -> None:
    """No parent, a run or node that is not there, an id that is none, a random one, and another node's."""
    strayed = [one for one in found(**more) if one.job == "curate.query"]
    assert problem in strayed[-1].problem
    assert strayed[-1].as_json()["target"] == CURATED


@pytest.mark.parametrize(
    "made",
    [
        parent_id(UID, NODE),
        str(uuid.UUID(hashlib.sha256(f"{UID}-{RUN}-0".encode()).hexdigest()[:32])),
        str(uuid.UUID(hashlib.md5(f"{UID}.{RUN}.{NODE}".encode()).hexdigest())),
        str(uuid.uuid5(uuid.NAMESPACE_URL, f"{UID}/{RUN}.{NODE}")),
    ],
)
def test_other_derivations(made: str) -> None:
    """An id may be derived by another hash, from the node's short name or its id."""
    assert found(parent_run=made) == ()


def test_uid_as_namespace() -> None:
    """A workflow's uid is a UUID, and may be the namespace of the node's."""
    uid = uuid.uuid4()
    story = Story()
    story.run(RUN)
    story.runs[RUN]["uid"] = str(uid)
    story.event(RUN, NODE, {RAW: ""}, {CURATED: ""}, parent_run=str(uuid.uuid5(uid, NODE)))
    assert strays(story.executions(), story.runs, {CURATED}) == ()


def test_uid_unknown() -> None:
    """Where the run's uid is not known, any id will do that is the node's alone."""
    story = Story()
    for run in (RUN, "other"):
        story.run(run)
        del story.runs[run]["uid"]
    shared = str(uuid.uuid4())
    story.event(RUN, NODE, {RAW: ""}, {CURATED: ""}, parent_run=shared)
    assert strays(story.executions(), story.runs, {CURATED}) == ()
    story.event("other", NODE, {RAW: ""}, {CURATED: ""}, parent_run=shared)
    assert {one.parent.partition(".")[0] for one in strays(story.executions(), story.runs, {CURATED})} == {RUN, "other"}


def test_other_datasets_are_not_judged() -> None:
    """Who writes a table of its own may call its parent as it likes."""
    story = Story()
    story.event("anything", NODE, {}, {"lake.team.mine": ""}, parent="")
    assert strays(story.executions(), story.runs, {CURATED}) == ()
