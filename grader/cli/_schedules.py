"""What `batchlab run`, `cron` and `backfill` share: their manifests, and an engine with everything that they need."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.submission import Submission, read
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


def source(files: Sequence[str], folder: Path | None) -> tuple[Sequence[str | Path], Submission | None]:
    """Say which manifests are meant: the files, or without any all of a submission.

    Args:
        files: as given.
        folder: the submission's, if one is given.

    Raises:
        BadInput: neither is given, or the submission is wrong.
    """
    if folder is None:
        if not files:
            raise BadInput("nothing to run", remedy="name a FILE, or a folder with a submission.toml: --submission DIR")
        return files, None
    submission = read(folder)
    return files or manifests(submission), submission


def manifests(submission: Submission | None) -> list[Path]:
    """Name the manifests that stand for what is installed: a submission's, with the kit's where it has none."""
    if submission is None:
        return [APPS] if APPS.is_dir() else []
    return list(dict.fromkeys(one.manifest for one in submission.pipelines.values()))


def load_valid(files: Sequence[str | Path], *, tell: bool, submission: Submission | None = None) -> Documents:
    """Load manifests that can be run; `tell` says on standard error what will go wrong, or has no effect here.

    Of a submission what has no effect is not told: most of it is the reference's.

    Raises:
        BadInput: they have a problem.
    """
    documents = with_library(load(files), manifests(submission))
    problems = lint(documents)
    if refused := [each for each in problems if not each.late]:
        named = " ".join(str(file) for file in files)
        more = f"see all {len(problems)} problems: batchlab lint {named}" if problems[1:] else ""
        raise BadInput(str(refused[0]), remedy=more)
    if tell:
        for problem in problems:
            print(f"warning: {problem}", file=sys.stderr)
        for notice in notices(documents) if submission is None else ():
            print(f"notice: {notice}", file=sys.stderr)
    return documents


def with_library(documents: Documents, installed: Sequence[Path] = (APPS,)) -> Documents:
    """Add WorkflowTemplates where a manifest refers to some that its files do not bring.

    On a cluster they would be installed already; here the `installed` manifests stand for that.
    """
    wanted = {
        *re.findall(r'"(?:workflowTemplateRef|templateRef)": \{[^{}]*"name": "([^"{]+)"', _text(documents)),
    }
    if wanted <= set(documents.templates) or not installed:
        return documents
    library = [each for each in load(installed).of("WorkflowTemplate") if each.name not in documents.templates]
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
def engine(documents: Documents, clock: Clock, submission: Submission | None = None) -> Iterator[Engine]:
    """Make an engine, with the platform started if the manifests need it; its processes end with the block.

    Steps run a submission's code, or without one the kit's own.
    """
    needed = needs_platform([each.body for each in documents.all])
    tell = functools.partial(print, file=sys.stderr)
    code = submission.folders() if submission else None
    with assembled(StateDir.locate().ensure(), clock, platform=needed, code=code, progress=tell) as made:
        yield made
