"""What `batchlab cron` and `batchlab backfill` share: their manifest, and an engine with everything that it needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.local.cron.logical import Logical
from pipelines.local.cron.schedule import Schedule
from pipelines.local.engine import Clock, Engine, Image, ImageTable
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.manifest import Document, Documents, lint, load, notices
from pipelines.local.platform.objects import CONFIG_MAP, SECRET, config_map
from pipelines.local.state import StateDir

CRON, SPARK_CRON = "CronWorkflow", "ScheduledSparkApplication"


def load_valid(files: Sequence[str], *, tell: bool) -> Documents:
    """Load manifests that can be run; `tell` says on standard error what has no effect here.

    Raises:
        BadInput: they have a problem.
    """
    documents = load(files)
    problems = lint(documents)
    if problems:
        more = f"see all {len(problems)} problems: batchlab lint {' '.join(files)}" if problems[1:] else ""
        raise BadInput(str(problems[0]), remedy=more)
    for notice in notices(documents) if tell else ():
        print(f"notice: {notice}", file=sys.stderr)
    return documents


def choose(documents: Documents, kinds: Sequence[str], name: str | None) -> Document:
    """Choose the manifest that is meant.

    Raises:
        BadInput: there is none of these kinds, or several and no name was given.
    """
    found = [each for each in documents.of(*kinds) if name in (None, each.name)]
    if len(found) == 1:
        return found[0]
    files = ", ".join(dict.fromkeys(each.file for each in documents.of(*kinds) or documents.all))
    names = ", ".join(each.name for each in documents.of(*kinds))
    if not found:
        what = f"there is no {' or '.join(kinds)}" + (f" named {name}" if name else "")
        raise BadInput(what, where=files, remedy=f"it has {names}" if names else "")
    raise BadInput(f"there are several: {names}", where=files, remedy="choose one with --name")


def schedule(document: Document, lang: Lang) -> Schedule:
    """Give the schedule of a manifest.

    Raises:
        BadInput: it never fires.
    """
    found = Schedule.of(document.body["spec"])
    found.check(f"{document.file}:{document.line_of('spec')}", lang)
    return found


def logical(document: Document, documents: Documents, objects: Sequence[dict[str, Any]], lang: Lang) -> Logical:
    """Make what derives the dates of a CronWorkflow's runs."""
    known = [*documents.configmaps, *objects] or [config_map({"yearShift": "0"})]
    return Logical(cron=document.body, templates=documents.templates, objects=known, lang=lang)


def needs_platform(documents: Documents) -> bool:
    """Tell whether the manifests use what only the platform provides: Spark, or its ConfigMap or Secret."""
    own = {each.name for each in documents.of("ConfigMap", "Secret")}
    text = json.dumps([each.body for each in documents.all])
    wanted = [name for name in (CONFIG_MAP, SECRET) if name not in own and f'"{name}"' in text]
    return bool(wanted) or "SparkApplication" in text


@contextmanager
def engine(documents: Documents, clock: Clock) -> Iterator[Engine]:
    """Make an engine, with the platform started if the manifests need it; its processes end with the block."""
    state = StateDir.locate().ensure()
    made = _with_platform(state, clock) if needs_platform(documents) else Engine(state, clock=clock)
    try:
        yield made
    finally:
        made.close()


def _with_platform(state: StateDir, clock: Clock) -> Engine:
    from pipelines.local.platform import Platform, snapshot
    from pipelines.local.platform.code import CODE_ROOT
    from pipelines.local.spark import SparkOperator

    platform = Platform(state)
    platform.start(lambda text: print(text, file=sys.stderr))
    code = snapshot(state)
    image = Image(
        name=code.image,
        path=(Path(sys.executable).parent,),
        env={"PYTHONPATH": str(code.root)},
        mounts={CODE_ROOT: code.root},
    )
    return Engine(
        state,
        clock=clock,
        images=ImageTable().with_images({code.image: image}),
        operators={"SparkApplication": SparkOperator(state)},
        objects=platform.objects(image=code.image),
    )
