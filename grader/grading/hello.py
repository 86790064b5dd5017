"""The small workloads of a submission's Flux tree, run here: an application of the operator's, a workflow of Argo's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from grader.checks.probe import Run
from grader.flux import Hello, hello_workflows, load
from grader.flux.workloads import PLAY
from grader.grading.plays import DAYS
from grader.grading.record import Record, Records, key_of
from grader.grading.world import Moment, World
from grader.submission import Submission
from pipelines.local.assembly import on_platform
from pipelines.local.engine import Engine, VirtualClock
from pipelines.local.errors import BadInput
from pipelines.local.platform import Snapshot
from pipelines.local.preload import ForkServer
from pipelines.local.sandbox.isolation import Isolation
from pipelines.local.spark.home import spark_home

_NOON = datetime(2013, 3, 10, 12, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Greeter:
    """Runs the small workloads of a tree.

    Args:
        world: where.
        submission: whose tree.
        code: the image that they run.
        preload: a Python that has imported the steps' libraries.
        records: what was run before.
        isolation: how steps are kept apart.
        say: told what runs.
    """

    world: World
    submission: Submission
    code: Snapshot
    preload: ForkServer
    records: Records
    isolation: Isolation | None
    say: Callable[[str], None]

    def runs(self) -> list[Run]:
        """Run them, or give what they did before with the same content; none where the tree cannot be built.

        A tree that cannot be built is judged by the checks that look at it.
        """
        try:
            found = hello_workflows(load(self.submission.flux), image=self.code.image, spark_home=f"{spark_home()}/")
        except BadInput:
            return []
        key = key_of("hello", self.code.hash, [[one.name, one.manifest, one.templates, one.objects] for one in found])
        known = self.records.get(key)
        if known is not None:
            return list(known.runs)
        runs = [self._run(one) for one in found]
        self.records.put(Record(key=key, tag=key, pipeline="flux", play=PLAY, runs=runs, moment=Moment()))
        return runs

    def _run(self, hello: Hello) -> Run:
        self.say(hello.name)
        engine = on_platform(
            self.world.platform, VirtualClock(_NOON), image=self.code.image, preload=self.preload,
            isolation=self.isolation,
        )  # fmt: skip
        name = f"{hello.name[:50]}-{secrets.token_hex(3)}"
        try:
            document = _execute(engine, hello, name)
        finally:
            for made in engine.cluster.made_by(name):  # the next tree's have the same names
                engine.cluster.delete(*made)
            engine.close()
        document = {**document, "name": hello.name}
        return Run(play=PLAY, ds=DAYS[0], name=hello.name, document=document, before={}, after={}, pipeline="flux")


def _execute(engine: Engine, hello: Hello, name: str) -> Mapping[str, Any]:
    try:
        return engine.run(hello.manifest, templates=hello.templates, name=name, objects=hello.objects).document
    except BadInput as error:
        return {"name": name, "phase": "Error", "message": f"not started: {error}", "nodes": {}}
