"""Play `flaky`: the webhook answers 503 once; a step that is retried comes through."""

from __future__ import annotations

import threading

from grader.checks.probe import Run
from grader.grading.ground import Ground, plain
from grader.grading.tap import Answer, Passing, http_tap


def play(ground: Ground) -> list[Run]:
    """Run the day with a webhook that fails the first call; the run's facts say how many calls came."""
    calls: list[str] = []
    guard = threading.Lock()

    def before(passing: Passing) -> Answer | None:
        if passing.method != "POST":
            return None
        with guard:
            calls.append(passing.path)
            return Answer(status=503, body=b'{"error": "try again"}') if len(calls) == 1 else None

    with http_tap(ground.world.platform.endpoints.webhook_url, before=before) as address:
        ground.instead = {"webhookUrl": address}
        return plain(ground, lambda *_: {"calls": len(calls)})
