"""What the play with wrong rows changes of a manifest."""

from __future__ import annotations

from typing import Any

from grader.grading.gate import again_once


def test_attempts_are_cut_to_one_more_wherever_they_are_declared() -> None:
    """Strategies that retry keep their backoff; one that does not, and everything else, stays as it is."""
    once = {"limit": "1", "backoff": {"duration": "10", "factor": "2"}}
    given: dict[str, Any] = {
        "spec": {
            "templateDefaults": {"retryStrategy": {"limit": 5}},
            "templates": [
                {"name": "build", "retryStrategy": {**once, "limit": "3"}},
                {"name": "audit", "retryStrategy": {"limit": 0}},
                {"name": "check", "retryStrategy": {"retryPolicy": "OnError"}},
                {"name": "read", "inputs": {"parameters": [{"name": "limit", "value": "3"}]}},
            ],
        }
    }
    made = again_once(given)["spec"]
    assert made["templateDefaults"]["retryStrategy"] == {"limit": "1"}
    assert made["templates"] == [
        {"name": "build", "retryStrategy": once},
        {"name": "audit", "retryStrategy": {"limit": 0}},
        {"name": "check", "retryStrategy": {"retryPolicy": "OnError", "limit": "1"}},
        given["spec"]["templates"][3],
    ]
    assert given["spec"]["templates"][0]["retryStrategy"]["limit"] == "3"
