"""M03, outside the lake and under fire: side effects, announcements, kills."""

from __future__ import annotations

from collections import Counter
from typing import Any

from grader.checks.blame import blame
from grader.checks.contents import diff_query, digest, last_run, partitions
from grader.checks.model import MOST_ROWS, Evidence, Failure, Passed
from grader.checks.probe import Probe, Run
from grader.checks.registry import Registry
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TABLES, TableSpec

M03 = Registry("M03")


_KEY_HINTS = (
    "What is the same in a call that repeats another, and differs when the content was corrected?",
    "Make the key from pipeline, day and a fingerprint of what was published; no time, no random number.",
    'Send it with every call, repeats too: headers={"Idempotency-Key": f"publish:{ds}:{fingerprint}"}',
)


@M03.check(
    "effects", points=2, needs=("first", "second", "replay"), depends=("M03-succeeds",), pipelines=("publish",),
    hints=_KEY_HINTS,
)  # fmt: skip
def effects(probe: Probe) -> Passed:
    """A second run has no second effect outside: one webhook effect per published content."""
    deliveries = [one for one in probe.deliveries() if one.pipeline == "publish"]
    counted = Counter(one.key for one in deliveries if one.effect)
    rows = [
        (key, sum(one.key == key for one in deliveries), counted[key])
        for key in dict.fromkeys(one.key for one in deliveries)
    ]
    for key, calls, acted in rows:
        if not key:
            raise Failure("a webhook call had no idempotency key: whoever receives it cannot know a repeat")
        if acted > 1:
            raise Failure(
                f"key {key} had {acted} effects in {calls} calls",
                evidence=Evidence(
                    columns=("key", "calls", "effects"), rows=rows, expected="1 effect", found=f"{acted} effects"
                ),
            )
    for day in probe.days:
        wanted = contents(probe, f"{PARTITION}={day}")
        found = list(dict.fromkeys(one.key for one in deliveries if one.ds == str(day) and one.recent))
        if len(found) != wanted:
            raise Failure(
                f"{PARTITION}={day} was published with {wanted} different contents, but the webhook was called with "
                f"{len(found)} keys: "
                + ("the same content was announced as new" if len(found) > wanted else "new content was not announced"),
                evidence=Evidence(
                    columns=("key", "calls", "effects"), rows=[row for row in rows if row[0] in found],
                    partitions=[f"reporting.carrier_daily {PARTITION}={day}"], expected=f"{wanted} keys",
                    found=f"{len(found)} keys",
                ),
            )  # fmt: skip
    return Passed(
        f"{sum(calls for _, calls, _ in rows)} webhook calls had {sum(counted.values())} effects, one for each content",
        Evidence(columns=("key", "calls", "effects"), rows=rows),
    )


@M03.check("announced", needs=("first", "announcements"), depends=("M03-effects",), pipelines=("publish",), hints=(
    "What could a reader see at the moment when the webhook was called?",
    "An announcement before the commit tells of content that is not there; after a crash it may never be.",
    "Commit first, then notify; a step of its own that depends on the one that commits.",
))  # fmt: skip
def announced(probe: Probe) -> Passed:
    """The webhook is told of a publication when readers can see it, not before."""
    rows: list[tuple[Any, ...]] = []
    for run in probe.runs():
        for one in run.facts.get("announcements", ()):
            if one["pipeline"] != "publish":
                continue
            for table in [table for table in probe.tables() if not table.in_lake]:
                name = f"{PARTITION}={run.ds}"
                seen, final = one["held"][table.name].get(name, Digest().hash), digest(run.after, table.name, name).hash
                rows.append((run.name, str(run.ds), table.name, seen, final))
    early = [row for row in rows if row[3] != row[4]]
    columns = ("run", "day", "table", "content when called", "content at the end")
    if early:
        raise Failure(
            f"the webhook was called for {early[0][1]} while {early[0][2]} still held other content",
            evidence=Evidence(columns=columns, rows=early, expected=early[0][4], found=early[0][3],
                              query=f"SELECT * FROM {early[0][2]} WHERE {PARTITION} = DATE '{early[0][1]}'"),
        )  # fmt: skip
    if not rows:
        raise Failure("the webhook was not called")
    return Passed(
        f"{len(rows)} times the reports held what was announced", Evidence(columns=columns, rows=rows[-MOST_ROWS:])
    )


@M03.check("crash", points=3, needs=("replay", "crash"), depends=("M03-succeeds", "M03-late"), hints=(
    "Kill the run at the place that is named, resume it, and look at the table: what was done twice, or not at all?",
    "A step that was killed is run again from its start: whatever it had done by then must not count twice.",
    "Stage, then publish in one commit that can be repeated; give a side effect a key that its repeat has too.",
))  # fmt: skip
def crash(probe: Probe) -> Passed:
    """Killed at every step and inside every commit, then resumed, a run leaves what an undisturbed one leaves."""
    rows = []
    for run in probe.faults("crash"):
        killed = list(run.facts.get("killed", ()))
        if run.phase != "Succeeded":
            raise Failure(
                f"{run.pipeline} was killed {len(killed)} times and resumed; it ended {run.phase}: {blame(probe, run)}",
                evidence=Evidence(columns=("killed",), rows=[(one,) for one in killed], expected="Succeeded",
                                  found=run.phase),
            )  # fmt: skip
        for table in [table for table in probe.tables() if run.writes(table)]:
            _same_as_undisturbed(probe, run, table, killed)
        rows += [(run.pipeline, place, "resumed, same content") for place in killed]
        _no_second_effect(probe, run, killed)
    if not rows:
        raise Failure("no run could be killed: none came to a step")
    return Passed(
        f"killed at {len(rows)} places and resumed, with the content of an undisturbed run",
        Evidence(columns=("pipeline", "killed", "outcome"), rows=rows),
    )


def _same_as_undisturbed(probe: Probe, run: Run, table: TableSpec, killed: list[str]) -> None:
    wanted, names = last_run(probe, "replay", table).after, [f"{PARTITION}={run.ds}"]
    names += [name for name in partitions(probe) if name not in names]
    for name in names:
        right = wanted if name == names[0] else run.before
        want, have = digest(right, table.name, name), digest(run.after, table.name, name)
        if want != have:
            raise Failure(
                f"{table.name} {name} differs after {run.pipeline} was killed and resumed: {have.rows} rows, "
                f"{want.rows} without a kill",
                evidence=Evidence(
                    columns=("killed",), rows=[(one,) for one in killed], partitions=[f"{table.name} {name}"],
                    expected=want.hash, found=have.hash, query=diff_query(table.name, run.before, run.after),
                ),
            )  # fmt: skip


def _no_second_effect(probe: Probe, run: Run, killed: list[str]) -> None:
    calls = [one for one in probe.deliveries("crash") if one.pipeline == "publish" and one.ds == str(run.ds)]
    effects = Counter(one.key for one in calls if one.effect)
    keys = {one.key for one in probe.deliveries("second")}
    new = [key for key in effects if key not in keys]
    if run.writes(_REPORT) and (len(new) != 1 or any(count > 1 for count in effects.values())):
        raise Failure(
            f"killed and resumed, publish of {run.ds} had {len(new)} new effects at the webhook instead of one",
            evidence=Evidence(columns=("key", "effects"), rows=sorted(effects.items()), expected="1",
                              found=str(len(new)), partitions=[f"killed {one}" for one in killed]),
        )  # fmt: skip


_REPORT = next(table for table in TABLES if not table.in_lake)


def contents(probe: Probe, partition: str) -> int:
    """Count the different contents of the reporting tables' partition that runs of its day left behind."""
    tables = [table for table in TABLES if not table.in_lake]
    day = partition.partition("=")[2]
    return len(
        {
            tuple(digest(run.after, table.name, partition) for table in tables)
            for run in probe.runs()
            if str(run.ds) == day and run.phase == "Succeeded" and run.writes(tables[0])
        }
    )
