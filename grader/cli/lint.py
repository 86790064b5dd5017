"""`batchlab lint`: validate manifests offline."""

from __future__ import annotations

import json
import sys

import click


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def lint(files: tuple[str, ...], as_json: bool) -> int:
    """Validate manifests offline, as Argo does: every problem with its path, not just the first. FILE may be a folder.

    Exit 1 if there is any. What another file holds (a WorkflowTemplate, say) has to be given as well.

    \b
    Example:
      batchlab lint cluster/apps/ingest.yaml
      batchlab lint workflow.yaml templates/ --json

    JSON: {"problems":[{"file","line","path","message","object"}],"warnings":[…],"notices":[…]}
    """  # noqa: D301
    from pipelines.local.manifest import lint as check
    from pipelines.local.manifest import load, notices, warnings

    documents = load(files)
    problems, pitfalls, without_effect = check(documents), warnings(documents), notices(documents)
    if as_json:
        found = {
            "problems": [vars(each) for each in problems],
            "warnings": [vars(each) for each in pitfalls],
            "notices": [vars(each) for each in without_effect],
        }
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        print(problem)
    for notice in (*pitfalls, *without_effect):
        place = f"{notice.file}:{notice.line}: " if notice.file else ""
        kind = "warning" if notice in pitfalls else "notice"
        print(f"{kind}: {place}{notice}", file=sys.stderr)
    count = len(problems)
    print(f"{count} problem{'s' * (count != 1)} found" if count else "no problems found", file=sys.stderr)
    return 1 if problems else 0
