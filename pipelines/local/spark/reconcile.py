"""Plays the Spark Operator 2.4 for one SparkApplication: its states, in its order, around a local driver."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.local.preload import ForkServer
from pipelines.local.spark import fields
from pipelines.local.spark.application import Driver, SubmissionFailed, translate
from pipelines.local.spark.drives import GRACE, Order, OwnDrive, RoomDrive, drive
from pipelines.local.spark.launch import request_for
from pipelines.local.state import StateDir

if TYPE_CHECKING:
    from pipelines.local.engine.operators import StepPlace

DEFAULT_INTERVAL = 5  # seconds, the webhook's default


class SparkOperator:
    """The operator of `SparkApplication` (see `engine.operators.Operator`)."""

    def __init__(self, state: StateDir, preload: ForkServer | None = None) -> None:
        self._state = state
        self._preload = preload

    def check(self, manifest: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a manifest, or cannot be played here, each with its field's path."""
        return list(fields.problems(manifest))

    def start(self, app: Mapping[str, Any], place: StepPlace) -> Application:
        """Begin to reconcile an application in a thread of its own."""
        application = Application(self._state, app, place, self._preload)
        application.begin()
        return application


class Application:
    """One SparkApplication being reconciled (see `engine.operators.Running`)."""

    def __init__(
        self, state: StateDir, app: Mapping[str, Any], place: StepPlace, preload: ForkServer | None = None
    ) -> None:
        self._state = state
        self._preload = preload
        self._app = app
        self._place = place
        self._lock = threading.Lock()
        self._status: dict[str, Any] = {}
        self._stopped = threading.Event()
        self._drive: OwnDrive | RoomDrive | None = None
        self._thread = threading.Thread(target=self._reconcile, name=f"spark-{app['metadata']['name']}", daemon=True)

    def begin(self) -> None:
        """Start the reconciling thread."""
        self._thread.start()

    def status(self) -> Mapping[str, Any]:
        """Return `.status` as it is now; `{}` before the first submission."""
        with self._lock:
            return (
                {**self._status, "executorState": dict(self._status.get("executorState", {}))} if self._status else {}
            )

    def stop(self) -> None:
        """End the driver and everything it started."""
        self._stopped.set()
        if self._drive is not None:
            self._drive.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(GRACE)

    # --- states ---

    def _reconcile(self) -> None:
        spec = self._app["spec"]
        if spec.get("suspend"):
            self._set(applicationState={"state": "SUSPENDING"})
            self._set(applicationState={"state": "SUSPENDED"})
            return
        while not self._stopped.is_set():
            if not self._submit():
                if not self._retry("onSubmissionFailure", self._status["submissionAttempts"]):
                    self._set(
                        applicationState={**self._status["applicationState"], "state": "FAILED"}, terminationTime=_now()
                    )
                    return
                continue
            code, why = self._wait()
            if self._stopped.is_set():
                return
            self._status.setdefault("terminationTime", _now())
            if code == 0:
                self._set(applicationState={"state": "SUCCEEDING"}, executorState=self._executors("COMPLETED"))
                if self._policy() != "Always":
                    self._set(applicationState={"state": "COMPLETED"})
                    return
            else:
                failure = {"errorMessage": _failure(code, why)}
                self._set(applicationState={"state": "FAILING", **failure}, executorState=self._executors("FAILED"))
                if not self._retry("onFailure", self._status["executionAttempts"]):
                    self._set(applicationState={"state": "FAILED", **failure})
                    return
            self._reset_for_rerun()

    def _submit(self) -> bool:
        """Submit once; returns whether the driver started."""
        name = str(self._app["metadata"]["name"])
        self._status.update(
            submissionID=str(uuid.uuid4()),
            lastSubmissionAttemptTime=_now(),
            submissionAttempts=self._status.get("submissionAttempts", 0) + 1,
            driverInfo={"podName": self._app["spec"]["driver"].get("podName") or f"{name}-driver"},
            terminationTime=self._status.get("terminationTime"),
        )
        if self._status["terminationTime"] is None:
            del self._status["terminationTime"]
        try:
            self._launch(translate(self._app, self._place))
        except (SubmissionFailed, OSError) as error:
            message = f"failed to submit spark application: failed to run spark-submit: {error}"
            self._set(applicationState={"state": "SUBMISSION_FAILED", "errorMessage": message})
            return False
        self._set(
            applicationState={"state": "SUBMITTED"}, executionAttempts=self._status.get("executionAttempts", 0) + 1
        )
        self._set(
            applicationState={"state": "RUNNING"},
            sparkApplicationId=self._application_id(),
            executorState=self._executors("RUNNING"),
        )
        return True

    def _retry(self, field: str, attempts: int) -> bool:
        """Wait as the operator does and return True, or return False where no attempt is left."""
        policy = self._app["spec"].get("restartPolicy") or {}
        kind, limit = policy.get("type", "Never"), policy.get(f"{field}Retries")
        if kind == "Never" or (kind == "OnFailure" and (limit is None or attempts > limit)):
            return False
        # Both waits count submissions since the last rerun, from the last submission's time.
        interval = policy.get(f"{field}RetryInterval", DEFAULT_INTERVAL) * self._status["submissionAttempts"]
        since = datetime.now(timezone.utc) - datetime.fromisoformat(self._status["lastSubmissionAttemptTime"])
        return not self._stopped.wait(max(0.0, interval - since.total_seconds()))

    def _reset_for_rerun(self) -> None:
        with self._lock:
            for field in ("sparkApplicationId", "lastSubmissionAttemptTime", "executorState"):
                self._status.pop(field, None)
            self._status.update(submissionAttempts=0, driverInfo={})
        self._set(applicationState={"state": "PENDING_RERUN"})

    def _set(self, **fields_: Any) -> None:
        with self._lock:
            self._status.update(fields_)
        self._place.wake()

    def _policy(self) -> str:
        return str((self._app["spec"].get("restartPolicy") or {}).get("type", "Never"))

    def _application_id(self) -> str:
        return "spark-" + str(self._status["submissionID"]).replace("-", "")

    def _executors(self, state: str) -> dict[str, str]:
        instances = int(self._app["spec"]["executor"].get("instances", 1))
        stem = f"{self._app['metadata']['name']}-{self._status['submissionID'][:8]}"
        return {f"{stem}-exec-{number}": state for number in range(1, instances + 1)}

    # --- the driver ---

    def _launch(self, driver: Driver) -> None:
        place = self._place.directory
        work, log = place / "work", place / "logs" / "driver.log"
        for folder in (work, log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        request = request_for(self._state, driver, work=work, log=log, application_id=self._application_id())
        order = Order(
            state=self._state,
            place=self._place,
            image=driver.image,
            request=request,
            log=log,
            name=self._application_id(),
            preload=self._preload,
        )
        self._drive = drive(order)

    def _wait(self) -> tuple[int, str]:
        """Wait until the application is over; returns its exit code, and the limit that ended it, if one did."""
        assert self._drive is not None
        return self._drive.await_over()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _failure(code: int, why: str) -> str:
    """Say how a driver failed as the operator does, and after that why, where it was ended for a limit."""
    reason = "OOMKilled" if code == 137 else "Error"
    return f"driver container failed with ExitCode: {code}, Reason: {reason}" + (f": {why}" if why else "")


def log_of(directory: Path) -> Path:
    """Return the driver's log of an application that worked in `directory`."""
    return directory / "logs" / "driver.log"
