"""Resource templates on a tiny operator: what kubectl answers, conditions, stale states, what a dead executor left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from pipelines.local.engine import Engine, RunResult, StepPlace, VirtualClock
from pipelines.local.engine.tests.conftest import BEGIN, node, workflow
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

APP = {"spec": {"driver": {}, "executor": {}, "mainApplicationFile": "x", "sparkVersion": "4.1.4", "type": "Python"}}


class Scripted:
    """Ends every application at once in the state that its annotation `end` names; notes what was started."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.stopped: list[str] = []

    def check(self, manifest: Mapping[str, Any]) -> list[str]:
        return ["spec.restartPolicy.type: Always never completes"] if "restartPolicy" in manifest["spec"] else []

    def start(self, app: Mapping[str, Any], place: StepPlace) -> _Ended:
        name = app["metadata"]["name"]
        self.started.append(name)
        state = (app["metadata"].get("annotations") or {}).get("end", "COMPLETED")
        place.wake()
        return _Ended(state, lambda: self.stopped.append(name))


class _Ended:
    def __init__(self, state: str, stop: Any) -> None:
        self.state, self.stop = state, stop

    def status(self) -> Mapping[str, Any]:
        return {"applicationState": {"state": self.state}, "executionAttempts": 1} if self.state else {}


@pytest.fixture
def operator() -> Scripted:
    """An operator that plays nothing."""
    return Scripted()


@pytest.fixture
def engine(state: StateDir, operator: Scripted) -> Iterator[Engine]:
    """An engine with that operator."""
    with closing(Engine(state, VirtualClock(BEGIN), operators={"SparkApplication": operator})) as made:
        yield made


def resource(action: str, *, name: str = "app", end: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    """Make a resource template."""
    metadata = {"name": name, "annotations": {"end": end}}
    manifest = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": metadata, **APP}
    manifest["spec"] = {**APP["spec"], **more.pop("fields", {})}
    conditions = {
        "successCondition": "status.applicationState.state == COMPLETED",
        "failureCondition": "status.applicationState.state == FAILED",
    }
    outputs = more.pop("outputs", None)
    template = {
        "name": "main",
        "resource": {"action": action, "manifest": str(manifest).replace("'", '"'), **conditions, **more},
    }
    return {**template, "outputs": {"parameters": outputs}} if outputs else template


def go(engine: Engine, template: dict[str, Any], name: str) -> RunResult:
    """Run one resource template."""
    manifest = workflow("- {name: main, suspend: {}}", name)
    manifest["spec"]["templates"] = [template]
    return engine.run(manifest)


def test_create_waits_for_its_condition(engine: Engine) -> None:
    """An application that completes succeeds, with outputs from its status."""
    outputs = [{"name": "state", "valueFrom": {"jsonPath": "{.status.applicationState.state}"}}]
    result = go(engine, resource("create", outputs=outputs), "one")
    assert node(result, "one")["outputs"]["parameters"][0]["value"] == "COMPLETED"
    assert node(result, "one")["outputs"]["exitCode"] == "0"


def test_create_twice(engine: Engine) -> None:
    """The same name again is refused with kubectl's words and exit code 64."""
    go(engine, resource("create"), "one")
    found = node(go(engine, resource("create"), "two"), "two")
    assert found["phase"] == "Failed"
    assert found["message"] == (
        "main: Error (exit code 64): no more retries Error from server (AlreadyExists): error when creating "
        '"/tmp/manifest.yaml": sparkapplications.sparkoperator.k8s.io "app" already exists'
    )


def test_what_a_run_made_can_be_cleared_away(engine: Engine, operator: Scripted) -> None:
    """Only that run's objects; their names can be taken again."""
    go(engine, resource("create"), "one")
    go(engine, resource("create", name="other"), "two")
    assert engine.cluster.made_by("one") == [("SparkApplication", "app")]
    for made in engine.cluster.made_by("one"):
        engine.cluster.delete(*made)
    assert engine.cluster.made_by("one") == []
    assert go(engine, resource("create"), "three").phase == "Succeeded"
    assert operator.started == ["app", "other", "app"]


def test_apply_without_change_sees_the_old_state(engine: Engine, operator: Scripted) -> None:
    """The old COMPLETED satisfies the condition again, and nothing is started."""
    go(engine, resource("create"), "one")
    assert go(engine, resource("apply"), "two").phase == "Succeeded"
    assert operator.started == ["app"]


def test_apply_with_a_change_starts_again(engine: Engine, operator: Scripted) -> None:
    """A changed spec is reconciled anew."""
    go(engine, resource("create"), "one")
    go(engine, resource("apply", fields={"arguments": ["x"]}), "two")
    assert operator.started == ["app", "app"]


def test_failure_comes_first(engine: Engine) -> None:
    """A failure condition fails the step with the clause as Argo prints it."""
    found = node(go(engine, resource("create", end="FAILED"), "one"), "one")
    expected = "failure condition '{status.applicationState.state == [FAILED]}' evaluated true"
    assert found["message"] == f"main: Error (exit code 64): {expected}"


def test_delete_then_get(engine: Engine, operator: Scripted) -> None:
    """A deleted object is gone, and what ran for it is stopped."""
    go(engine, resource("create"), "one")
    bare = {"successCondition": "", "failureCondition": ""}
    assert go(engine, resource("delete", **bare), "two").phase == "Succeeded"
    assert operator.stopped == ["app"]
    assert "(NotFound)" in node(go(engine, resource("get", **bare), "three"), "three")["message"]


def test_time_to_live(engine: Engine) -> None:
    """An object is gone when the time to live after its end has passed."""
    go(engine, resource("create", fields={"timeToLiveSeconds": 10}), "one")
    engine.clock.advance_to(BEGIN.replace(minute=30))  # type: ignore[attr-defined]
    assert go(engine, resource("create"), "two").phase == "Succeeded"


def test_objects_outlive_the_executor(state: StateDir, operator: Scripted) -> None:
    """Another executor finds the object of the first, with its last state."""
    for name, action in (("one", "create"), ("two", "apply")):
        with closing(Engine(state, VirtualClock(BEGIN), operators={"SparkApplication": operator})) as engine:
            assert go(engine, resource(action), name).phase == "Succeeded"
    assert operator.started == ["app"]


def test_fields_that_its_operator_refuses(engine: Engine) -> None:
    """What the operator cannot carry out is refused before anything starts, and so is an unknown kind."""
    with pytest.raises(BadInput, match="Always never completes"):
        go(engine, resource("create", fields={"restartPolicy": {"type": "Always"}}), "one")
    unknown = resource("create")
    unknown["resource"]["manifest"] = unknown["resource"]["manifest"].replace("SparkApplication", "Pod")
    with pytest.raises(BadInput, match="kind Pod is not supported"):
        go(engine, unknown, "two")
    assert engine.runs() == []
