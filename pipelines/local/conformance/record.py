"""Record what a real Argo controller answers: `python -m pipelines.local.conformance.record` (needs KUBECONFIG)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pipelines.local.conformance.cases import GOLDENS, Case, cases, cron_files, lint_files
from pipelines.local.conformance.cluster import Cluster
from pipelines.local.conformance.compare import normalize

_DEADLINE = 240.0
_CRON_SECONDS, _CRON_REST = 190.0, 25.0
_FINISHED = {"Succeeded", "Failed", "Error"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the named cases, or those without an answer, or all of them."""
    parser = argparse.ArgumentParser(prog="record", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases (patterns as of a shell); default: those never recorded")
    parser.add_argument("--all", action="store_true", help="record every case again")
    parser.add_argument("--at-once", type=int, default=8, help="workflows on the cluster at the same time")
    parser.add_argument("--keep", action="store_true", help="leave the workflows on the cluster")
    parser.add_argument("--raw", type=Path, help="also write the workflow objects as they were, into this folder")
    parser.add_argument("--lint", action="store_true", help="only record what `argo lint` says of all files")
    parser.add_argument("--cron", action="store_true", help="only record what CronWorkflows do in three minutes")
    options = parser.parse_args(arguments)
    if options.cron:
        record_cron(Cluster())
        return 0
    if options.lint:
        record_lint(Cluster())
        return 0
    chosen = [case for case in cases() if _wanted(case, options.names, all_of_them=options.all)]
    missed = Recorder(Cluster(), at_once=options.at_once, keep=options.keep, raw=options.raw).record(chosen)
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


def record_lint(cluster: Cluster) -> None:
    """Write the answers of `argo lint` to the files of `lint/` and to every case, by `lint/NAME` or case name."""
    answers = {f"lint/{path.stem}": cluster.lint([path]) for path in lint_files()}
    answers.update({case.name: cluster.lint(case.files) for case in cases()})
    write_json(GOLDENS / "lint.json", answers)


def record_cron(cluster: Cluster) -> None:
    """Write what the CronWorkflows of `cron/` have started and what their status says after their time."""
    files = cron_files()
    for path in files:
        cluster.apply(path)
    time.sleep(_CRON_SECONDS)
    for path in files:
        cluster.suspend_cron(path.stem)
    time.sleep(_CRON_REST)
    answers = {path.stem: cluster.cron_answer(path.stem) for path in files}
    write_json(GOLDENS / "cron.json", answers)
    for path in files:
        cluster.remove(path)


def _wanted(case: Case, names: Sequence[str], *, all_of_them: bool) -> bool:
    if case.settings.get("lint"):
        return False
    if names:
        return any(fnmatch(case.name, name) for name in names)
    return all_of_them or not case.golden.exists()


class Recorder:
    """Submits cases, a few at a time, and writes what became of them."""

    def __init__(self, cluster: Cluster, *, at_once: int, keep: bool, raw: Path | None) -> None:
        self._cluster = cluster
        self._at_once = at_once
        self._keep = keep
        self._raw = raw

    def record(self, chosen: Sequence[Case]) -> list[str]:
        """Record the cases; what could not be recorded, a line each."""
        missed: list[str] = []
        waiting, running = list(chosen), dict[str, tuple[Case, float]]()
        while waiting or running:
            while waiting and len(running) < self._at_once:
                case = waiting.pop(0)
                refused = self._cluster.submit(case)
                if refused:
                    missed.append(f"{case.name}: not accepted: {refused}")
                else:
                    running[case.name] = (case, time.monotonic())
            time.sleep(1)
            phases = self._cluster.phases()
            self._cluster.play_operator()
            for name, (case, begun) in list(running.items()):
                self._cluster.act(case, phases.get(name, ""))
                late = time.monotonic() - begun > float(case.settings.get("deadline", _DEADLINE))
                if phases.get(name) not in _FINISHED and not late:
                    continue
                del running[name]
                if late and not case.settings.get("unfinished"):
                    missed.append(f"{name}: still {phases.get(name)} at its deadline")
                else:
                    self._write(case, time.monotonic() - begun)
                if not self._keep:
                    self._cluster.delete(name)
        if chosen:
            self._write_versions()
        return missed

    def _write(self, case: Case, seconds: float) -> None:
        workflow = self._cluster.workflow(case.name)
        if self._raw:
            self._raw.mkdir(parents=True, exist_ok=True)
            (self._raw / f"{case.name}.json").write_text(json.dumps(workflow, indent=1))
        answer = normalize(workflow.get("status") or {})
        case.golden.parent.mkdir(parents=True, exist_ok=True)
        write_json(case.golden, answer)
        print(f"{case.name}: {answer.get('phase')} after {seconds:.0f} s {answer.get('message', '')}", flush=True)

    def _write_versions(self) -> None:
        versions = {**self._cluster.versions(), "date": f"{datetime.now(timezone.utc):%Y-%m-%d}"}
        write_json(GOLDENS / "VERSIONS.json", versions)


def write_json(path: Path, value: Any) -> None:
    """Write JSON that reads well in a diff."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
