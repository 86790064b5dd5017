"""`explain retry` says when attempts come, by the rules of Argo's controller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.local.cron.retries import Explained, as_json, explain
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.manifest import from_text


def _explain(retry: dict[str, Any], seconds: float = 1, **template: Any) -> Explained:
    body = {"name": "main", "container": {"image": "python"}, "retryStrategy": retry, **template}
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "x"},
        "spec": {"entrypoint": "main", "templates": [body]},
    }
    return explain(from_text(json.dumps(manifest)), attempt_seconds=seconds, lang=Lang.shared())[0]


def _starts(explained: Explained) -> list[float]:
    return [attempt.starts for attempt in explained.attempts]


def test_factor_and_cap() -> None:
    """Waits grow by the factor from the last finish, up to the cap."""
    explained = _explain({"limit": 4, "backoff": {"duration": "2", "factor": 3, "cap": "10s"}})
    assert [attempt.wait for attempt in explained.attempts] == [0, 2, 6, 10, 10]
    assert [attempt.capped for attempt in explained.attempts] == [False, False, False, True, True]
    assert _starts(explained) == [0, 3, 10, 21, 32]
    assert explained.ends == "No more retries left"


def test_without_factor_the_wait_is_constant() -> None:
    """There is no default factor."""
    assert _starts(_explain({"limit": "2", "backoff": {"duration": "1m"}})) == [0, 61, 122]


def test_max_duration_cuts() -> None:
    """A wait that would pass maxDuration is not begun; an attempt in progress is ended there."""
    futile = _explain({"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "1m"}})
    assert _starts(futile) == [0, 11, 32]
    assert futile.ends == "Backoff would exceed max duration limit"
    assert futile.warnings == ("maxDuration cuts: 3 of 6 attempts are made",)
    cut = _explain({"limit": 5, "backoff": {"duration": "1s", "maxDuration": "1m"}}, seconds=50)
    assert _starts(cut) == [0, 51]
    assert cut.attempts[-1].cut
    assert cut.ends == "Max duration limit exceeded"


def test_without_limit_backoff_is_ignored() -> None:
    """Attempts follow at once; maxDuration still ends them, counting the waits that are not waited."""
    endless = _explain({"backoff": {"duration": "10s"}})
    assert endless.endless
    assert _starts(endless)[:3] == [0, 1, 2]
    assert endless.warnings[0] == "backoff is ignored without a limit: attempts follow one another at once"
    ended = _explain({"backoff": {"duration": "10s", "factor": 2, "maxDuration": "1m"}})
    assert _starts(ended) == [0, 1, 2, 3]
    assert ended.ends == "Backoff would exceed max duration limit"


def test_limit_zero_and_no_duration() -> None:
    """A limit of 0 is one attempt; a backoff without duration ends in an error."""
    assert _starts(_explain({"limit": 0})) == [0]
    assert _explain({"limit": 2, "backoff": {"factor": 2}}).ends == "no base duration specified for retryStrategy"


def test_policy() -> None:
    """An expression makes the default policy Always."""
    assert _explain({"limit": 1}).policy == "OnFailure"
    assert _explain({"limit": 1, "expression": "true"}).policy == "Always"


def test_spark_retries_multiply() -> None:
    """Argo's attempts times the operator's own."""
    manifest = "kind: SparkApplication\nspec:\n  restartPolicy: {type: OnFailure, onFailureRetries: 2}\n"
    explained = _explain({"limit": 3}, container=None, resource={"action": "create", "manifest": manifest})
    assert explained.spark_runs == 12
    assert "4 x 3 = 12 times" in explained.warnings[-1]
    assert json.loads(as_json([explained]))["strategies"][0]["sparkRuns"] == 12


def test_bad_input() -> None:
    """What cannot be explained is told with its place."""
    with pytest.raises(BadInput, match="no template has a retryStrategy"):
        explain(from_text("kind: ConfigMap\nmetadata: {name: x}\n"), attempt_seconds=1, lang=Lang.shared())
    with pytest.raises(BadInput, match=r"manifest.yaml:1: backoff.duration: unable to parse 1 day"):
        _explain({"limit": 1, "backoff": {"duration": "1 day"}})
    with pytest.raises(BadInput, match="whole number"):
        _explain({"limit": 1, "backoff": {"duration": "1s", "factor": "1.5"}})
