"""Whole runs: arguments, refusals, suspension, resuming, locks, memoized outputs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from pipelines.local.engine import Engine, RunResult, VirtualClock
from pipelines.local.engine.tests.conftest import BEGIN, node, workflow
from pipelines.local.errors import BadInput
from pipelines.local.state import StateDir

Run = Callable[..., RunResult]
ECHO = """
- name: main
  inputs: {parameters: [{name: x, value: '{{workflow.parameters.x}}'}]}
  container: {image: bash, command: [echo, '{{inputs.parameters.x}}']}
"""


def test_parameters_from_outside(engine: Engine) -> None:
    """Parameters given at the start replace the manifest's; unknown ones are allowed."""
    manifest = workflow(ECHO, arguments={"parameters": [{"name": "x", "value": "a"}]})
    result = engine.run(manifest, parameters={"x": "b", "more": "c"})
    assert node(result, "w")["inputs"]["parameters"] == [{"name": "x", "value": "b"}]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"arguments": {"parameters": [{"name": "x"}]}}, "-p x="),
        ({"entrypoint": "nowhere"}, "nowhere"),
        ({"templates": [{"name": "main", "container": {"image": "no/such:1", "command": ["x"]}}]}, "no/such:1"),
        ({"workflowTemplateRef": {"name": "absent"}, "templates": []}, "absent"),
    ],
)
def test_refused_before_anything_starts(engine: Engine, change: dict[str, object], match: str) -> None:
    """What cannot run is refused with a remedy, and no run is stored."""
    manifest = workflow("- {name: main, container: {image: bash, command: ['true']}}")
    manifest["spec"].update(change)
    with pytest.raises(BadInput, match=match):
        engine.run(manifest)
    assert engine.runs() == []


def test_a_name_is_used_once(run: Run) -> None:
    """A second run of the same name is refused, as the API server would."""
    run("- {name: main, container: {image: bash, command: ['true']}}")
    with pytest.raises(BadInput, match="exists already"):
        run("- {name: main, container: {image: bash, command: ['true']}}")


def test_backoff_passes_at_once_on_a_virtual_clock(run: Run) -> None:
    """Attempts start when Argo would start them, whatever that takes of virtual time."""
    result = run(
        """
- name: main
  retryStrategy: {limit: 2, backoff: {duration: 1h, factor: 2}}
  container: {image: bash, command: ['false']}
"""
    )
    assert [node(result, f"w({n})")["startedAt"][11:] for n in range(3)] == ["03:04:05Z", "04:04:05Z", "06:04:05Z"]
    assert result.document["message"] == "No more retries left"


def test_suspend_waits_for_a_person(engine: Engine) -> None:
    """A run that waits is handed back; resume supplies its outputs and goes on."""
    manifest = workflow(
        """
- name: main
  steps:
  - [{name: ask, template: ask}]
  - - name: say
      template: say
      arguments: {parameters: [{name: x, value: '{{steps.ask.outputs.parameters.x}}'}]}
- {name: ask, suspend: {}, outputs: {parameters: [{name: x, valueFrom: {supplied: {}}}]}}
- {name: say, inputs: {parameters: [{name: x}]}, container: {image: bash, command: [echo]}}
"""
    )
    assert (waiting := engine.run(manifest)).suspended
    assert waiting.phase == "Running"
    with pytest.raises(BadInput, match="-p NAME=VALUE"):
        engine.resume("w")
    result = engine.resume("w", supplied={"x": "yes"})
    assert result.phase == "Succeeded"
    assert node(result, "w[1].say")["inputs"]["parameters"][0]["value"] == "yes"
    with pytest.raises(BadInput, match="has ended"):
        engine.resume("w")


def test_resume_of_nothing(engine: Engine) -> None:
    """A run that does not exist cannot be resumed."""
    with pytest.raises(BadInput, match="no run named"):
        engine.resume("nothing")


def test_mutex_across_runs(state: StateDir) -> None:
    """Two runs of one state directory never hold a mutex at the same time."""
    templates = """
- name: main
  synchronization: {mutexes: [{name: m}]}
  script: {image: bash, command: [bash], source: "mkdir FOLDER/held && sleep 0.1 && rmdir FOLDER/held"}
""".replace("FOLDER", str(state.root))
    with closing(Engine(state, VirtualClock(BEGIN))) as engine:
        results: list[RunResult] = []
        names = ("one", "two", "three")
        threads = [
            threading.Thread(target=lambda name=name: results.append(engine.run(workflow(templates, name))))
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [result.phase for result in results] == ["Succeeded"] * 3


def test_waiting_for_a_lock_takes_no_real_time(state: StateDir) -> None:
    """A run that holds a mutex for an hour of virtual time lets the next one go on at once."""
    templates = "- {name: main, synchronization: {mutexes: [{name: m}]}, suspend: {duration: 1h}}"
    results: list[RunResult] = []
    with closing(Engine(state, VirtualClock(BEGIN))) as engine:

        def go(name: str) -> None:
            results.append(engine.run(workflow(templates, name)))

        threads = [threading.Thread(target=go, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finished = sorted(result.document["finishedAt"][11:] for result in results)
    # The hour counts from the node's start: a node that waited for the lock as Pending all the while is over with it.
    assert finished in (["04:04:05Z", "05:04:05Z"], ["04:04:05Z", "04:04:05Z"])


def test_memoized_outputs_are_found_again(engine: Engine) -> None:
    """A second run takes remembered outputs instead of running the step."""
    templates = """
- name: main
  memoize: {key: k, cache: {configMap: {name: c}}}
  script: {image: bash, command: [bash], source: "date +%N > /tmp/x"}
  outputs: {parameters: [{name: x, valueFrom: {path: /tmp/x}}]}
"""
    first = node(engine.run(workflow(templates, "one")), "one")
    second = node(engine.run(workflow(templates, "two")), "two")
    assert first["outputs"]["parameters"][0]["value"] == second["outputs"]["parameters"][0]["value"]
    assert second["memoizationStatus"]["hit"] is True


def test_terminate_from_another_thread(engine: Engine) -> None:
    """Terminating kills what runs and runs no exit handler."""
    manifest = workflow(
        """
- {name: main, container: {image: bash, command: [sleep, '60']}}
- {name: bye, container: {image: bash, command: ['true']}}
""",
        onExit="bye",
    )
    engine.listener = lambda event: engine.terminate("w") if event.phase == "Running" and event.kind == "node" else None
    result = engine.run(manifest)
    assert result.document["message"] == "Stopped with strategy 'Terminate'"
    assert len(result.document["nodes"]) == 1


def test_delete_forgets_a_run(engine: Engine) -> None:
    """A deleted run's name is free again."""
    manifest = workflow("- {name: main, container: {image: bash, command: ['true']}}")
    engine.run(manifest)
    engine.delete("w")
    assert engine.run(manifest).phase == "Succeeded"
