"""The operator's states in its order, around drivers that end as told."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.spark.application import Driver
from pipelines.local.spark.reconcile import Application
from pipelines.local.spark.tests.test_application import application, place
from pipelines.local.state import StateDir


class Played(Application):
    """An application whose drivers end with given codes, at once."""

    codes: list[int]

    def _launch(self, driver: Driver) -> None:
        pass

    def _wait(self) -> tuple[int, str]:
        if not self.codes:
            self._stopped.set()
            return 0, ""
        code = self.codes.pop(0)
        return code, "too much" if code == 137 else ""


def play(tmp_path: Path, codes: list[int], **spec: Any) -> tuple[list[str], dict[str, Any]]:
    """Reconcile to the end; returns the states as they were shown and the last status."""
    shown: list[str] = []

    def wake() -> None:
        state = app.status()["applicationState"]["state"]
        if not shown or shown[-1] != state:
            shown.append(state)

    app = Played(StateDir(root=tmp_path), application(**spec), replace(place(tmp_path), wake=wake))
    app.codes = list(codes)
    app.begin()
    app._thread.join(20)
    assert not app._thread.is_alive()
    return shown, dict(app.status())


def test_success(tmp_path: Path) -> None:
    """A driver that ends with 0 goes through SUCCEEDING to COMPLETED, and the status has what the operator's has."""
    states, status = play(tmp_path, [0])
    assert states == ["SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED"]
    assert status["sparkApplicationId"].startswith("spark-")
    assert status["driverInfo"] == {"podName": "extract-1-driver"}
    assert (status["executionAttempts"], status["submissionAttempts"]) == (1, 1)
    assert list(status["executorState"].values()) == ["COMPLETED"]
    assert status["terminationTime"] >= status["lastSubmissionAttemptTime"]


def test_failure(tmp_path: Path) -> None:
    """A driver that ends otherwise goes through FAILING to FAILED, with the operator's message."""
    states, status = play(tmp_path, [3])
    assert states == ["SUBMITTED", "RUNNING", "FAILING", "FAILED"]
    assert status["applicationState"]["errorMessage"] == "driver container failed with ExitCode: 3, Reason: Error"


def test_a_broken_limit_is_named(tmp_path: Path) -> None:
    """A driver that was ended for a limit has failed as one that ran out of memory, and the message says of what."""
    _, status = play(tmp_path, [137])
    message = status["applicationState"]["errorMessage"]
    assert message == "driver container failed with ExitCode: 137, Reason: OOMKilled: too much"


def test_retries_on_failure(tmp_path: Path) -> None:
    """OnFailure runs again while attempts are at most onFailureRetries, counting executions."""
    policy = {"type": "OnFailure", "onFailureRetries": 2, "onFailureRetryInterval": 0}
    states, status = play(tmp_path, [1, 1, 1, 1], restartPolicy=policy)
    again = ["FAILING", "PENDING_RERUN", "SUBMITTED", "RUNNING"]
    assert states == ["SUBMITTED", "RUNNING", *again, *again, "FAILING", "FAILED"]
    assert (status["executionAttempts"], status["submissionAttempts"]) == (3, 1)


def test_retry_that_works(tmp_path: Path) -> None:
    """A second attempt that ends well completes the application."""
    policy = {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 0}
    assert play(tmp_path, [1, 0], restartPolicy=policy)[0][-2:] == ["SUCCEEDING", "COMPLETED"]


def test_without_a_limit_nothing_is_retried(tmp_path: Path) -> None:
    """OnFailure without onFailureRetries does not retry."""
    assert play(tmp_path, [1, 0], restartPolicy={"type": "OnFailure"})[0][-1] == "FAILED"


def test_always_never_completes(tmp_path: Path) -> None:
    """Always runs again after success too."""
    states, _ = play(tmp_path, [0, 0], restartPolicy={"type": "Always"})
    assert "COMPLETED" not in states
    assert states.count("PENDING_RERUN") == 2


@pytest.mark.parametrize(("retries", "attempts"), [(None, 1), (1, 2)])
def test_failed_submission(tmp_path: Path, retries: int | None, attempts: int) -> None:
    """A submission that fails is tried again as asked, then FAILED with the reason."""
    policy: dict[str, Any] = {"type": "OnFailure", "onSubmissionFailureRetryInterval": 0}
    policy |= {} if retries is None else {"onSubmissionFailureRetries": retries}
    states, status = play(tmp_path, [], image="no/such:1", restartPolicy=policy)
    assert states == ["SUBMISSION_FAILED", "FAILED"]
    assert status["submissionAttempts"] == attempts
    assert "executionAttempts" not in status
    assert status["applicationState"]["errorMessage"].startswith(
        "failed to submit spark application: failed to run spark-submit: image 'no/such:1'"
    )


def test_suspended(tmp_path: Path) -> None:
    """A suspended application is never submitted."""
    states, status = play(tmp_path, [0], suspend=True)
    assert states == ["SUSPENDING", "SUSPENDED"]
    assert "submissionID" not in status


def test_stop_ends_a_wait(tmp_path: Path) -> None:
    """Stopping does not wait for a retry that is due later."""
    waiting = threading.Event()
    policy = {"type": "OnFailure", "onFailureRetries": 9, "onFailureRetryInterval": 3600}
    app = Played(StateDir(root=tmp_path), application(restartPolicy=policy), replace(place(tmp_path), wake=waiting.set))
    app.codes = [1]
    app.begin()
    assert waiting.wait(5)
    app.stop()
    assert not app._thread.is_alive()
