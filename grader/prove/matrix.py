"""The kill matrix: which check said what of which case, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from grader.prove.model import Case
from grader.prove.prove import Verdict

_SIGNS = {"pass": "·", "fail": "✗", "blocked": "-", "error": "!", "waiting": "…"}


def markdown(cases: Sequence[Case], verdicts: Sequence[Verdict]) -> str:
    """Write the matrix as Markdown: one row a case, one column a check that judged any."""
    found = {one.case: one for one in verdicts}
    shown = [case for case in cases if case.id in found]
    mutants = [case for case in shown if case.kind == "mutant"]
    variants = [case for case in shown if case.kind == "variant"]
    killed = sum(found[case.id].right for case in mutants)
    alarms = sum(not found[case.id].right for case in variants)
    lines = [
        (
            f"{killed} of {len(mutants)} mutants are failed by the check that is meant to; "
            f"{alarms} of {len(variants)} right variants raise a false alarm."
        ),
        "",
        "✗ failed, · passed, - not judged because another check failed, ! could not run, … waits, blank: not asked.",
        "",
        *_table("mutant", mutants, found),
        "",
        *_table("variant", variants, found),
        "",
    ]
    return "\n".join(lines)


def _table(kind: str, cases: Sequence[Case], found: dict[str, Verdict]) -> list[str]:
    if not cases:
        return []
    checks = sorted({name for case in cases for name in found[case.id].outcomes})
    head = f"| {kind} | what | intended | as intended | " + " | ".join(checks) + " |"
    rule = "|" + "---|" * (4 + len(checks))
    rows = [head, rule]
    for case in cases:
        one = found[case.id]
        signs = " | ".join(_SIGNS.get(one.outcomes.get(name, ""), "") for name in checks)
        title = case.title.replace("|", "\\|")
        rows.append(f"| {case.id} | {title} | {case.check or 'all pass'} | {'yes' if one.right else 'NO'} | {signs} |")
    return rows
