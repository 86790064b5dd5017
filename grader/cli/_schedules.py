"""What `batchlab cron` and `batchlab backfill` share: their manifest, and an engine with everything that it needs."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.local.assembly import assembled, needs_platform
from pipelines.local.cron.logical import Logical
from pipelines.local.cron.schedule import Schedule
from pipelines.local.engine import Clock, Engine
from pipelines.local.errors import BadInput
from pipelines.local.lang import Lang
from pipelines.local.manifest import Document, Documents, lint, load, notices
from pipelines.local.platform.objects import config_map
from pipelines.local.state import StateDir

APPS = Path(__file__).resolve().parents[2] / "cluster" / "apps"
CRON, SPARK_CRON = "CronWorkflow", "ScheduledSparkApplication"


def load_valid(files: Sequence[str], *, tell: bool) -> Documents:
    """Load manifests that can be run; `tell` says on standard error what has no effect here, or will go wrong.

    Raises:
        BadInput: they have a problem.
    """
    documents = with_library(load(files))
    problems = lint(documents)
    if refused := [each for each in problems if not each.late]:
        more = f"see all {len(problems)} problems: batchlab lint {' '.join(files)}" if problems[1:] else ""
        raise BadInput(str(refused[0]), remedy=more)
    if tell:
        for problem in problems:
            print(f"warning: {problem}", file=sys.stderr)
        for notice in notices(documents):
            print(f"notice: {notice}", file=sys.stderr)
    return documents


def with_library(documents: Documents) -> Documents:
    """Add the kit's own WorkflowTemplates where a manifest refers to some that its files do not bring.

    On a cluster they would be installed already; here `cluster/apps` stands for what is installed.
    """
    wanted = {
        *re.findall(r'"(?:workflowTemplateRef|templateRef)": \{[^{}]*"name": "([^"{]+)"', _text(documents)),
    }
    if wanted <= set(documents.templates) or not APPS.is_dir():
        return documents
    library = [each for each in load([APPS]).of("WorkflowTemplate") if each.name not in documents.templates]
    return documents if wanted.isdisjoint(each.name for each in library) else Documents(all=(*documents.all, *library))


def _text(documents: Documents) -> str:
    return json.dumps([each.body for each in documents.all])


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


@contextmanager
def engine(documents: Documents, clock: Clock) -> Iterator[Engine]:
    """Make an engine, with the platform started if the manifests need it; its processes end with the block."""
    needed = needs_platform([each.body for each in documents.all])
    tell = functools.partial(print, file=sys.stderr)
    with assembled(StateDir.locate().ensure(), clock, platform=needed, progress=tell) as made:
        yield made
