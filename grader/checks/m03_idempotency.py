"""M03: a second run changes nothing, inside or outside the lake."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from grader.checks.duplicates import FAILED, duplicates
from grader.checks.model import Evidence, Failure, Passed
from grader.checks.probe import Probe, Run, State
from grader.checks.registry import Registry
from grader.fingerprint.digest import Digest
from grader.oracle.tables import PARTITION, TABLES, spec

M03 = Registry("M03")
_SAID = re.compile(r"^(?:error: .*|[\w.]+(?:Error|Exception|Violation)\b.*)$", re.MULTILINE)
_HINTS = (
    "What does the write do when the partition has rows already?",
    "An append adds to what is there; a replace of the whole partition in one commit does not.",
    "Overwrite with a filter on the partition; insert_overwrite in dbt; DELETE and INSERT in one transaction.",
)


@M03.check("keys", points=2)
def keys(probe: Probe) -> Passed:
    """No key occurs twice, in what is visible or staged."""
    found = duplicates(probe)
    if found:
        first = found[0]
        others = "; ".join(f"{one.table} {one.partition}: {one.count}" for one in found[1:4])
        raise Failure(
            f"{first}" + (f"; also {others}" if others else ""),
            evidence=Evidence(
                columns=first.columns, rows=first.rows, partitions=[f"{one.table} {one.partition}" for one in found],
                expected="every key once", found=f"{first.count} keys {first.where} more than once", query=first.query,
            ),
            hints=_HINTS,
        )  # fmt: skip
    looked = ", ".join(table.name for table in TABLES)
    return Passed(f"no key occurs twice in {looked}, nor on any branch of them")


@M03.check("succeeds")
def succeeds(probe: Probe) -> Passed:
    """Every run succeeds, the second ones too."""
    runs = probe.runs()
    failed = [run for run in runs if run.phase != "Succeeded"]
    if failed:
        run = failed[0]
        raise Failure(
            f"the {run.play} run of {run.ds} ended {run.phase or 'without a phase'}: {blame(probe, run)}",
            evidence=Evidence(
                columns=("run", "play", "day", "phase", "because"),
                rows=[(one.name, one.play, str(one.ds), one.phase, blame(probe, one)) for one in failed],
                expected=f"{len(runs)} runs Succeeded", found=f"{len(failed)} did not",
            ),
            hints=("The log of the step that is named says why.",),
        )  # fmt: skip
    second = sum(run.play == "second" for run in runs)
    if not second:
        raise Failure("no day was run a second time")
    return Passed(f"{len(runs)} runs succeeded, {second} of them on a day that had been run before")


@M03.check("same", points=3, depends=("M03-succeeds",))
def same(probe: Probe) -> Passed:
    """A second run leaves the content of every partition as it was."""
    first, second = after(probe, "first"), after(probe, "second")
    wanted = [f"{PARTITION}={day}" for day in probe.days]
    changed = [
        (table.name, name, before, now)
        for table in TABLES
        for name in wanted
        if (before := _digest(first, table.name, name)) != (now := _digest(second, table.name, name))
    ]
    if changed:
        name, partition, before, now = changed[0]
        raise Failure(
            f"{name} {partition} changed in the second run: {before.rows} rows before, {now.rows} after"
            + (f"; {len(changed) - 1} more partitions changed" if len(changed) > 1 else ""),
            evidence=Evidence(
                columns=("table", "partition", "rows before", "rows after", "before", "after"),
                rows=[(a, b, c.rows, d.rows, c.hash, d.hash) for a, b, c, d in changed],
                partitions=[f"{a} {b}" for a, b, _, _ in changed], expected=before.hash, found=now.hash,
                query=_diff_query(name, first, second),
            ),
            hints=_HINTS,
        )  # fmt: skip
    rows = [
        (table.name, len(wanted), sum(_digest(second, table.name, name).rows for name in wanted),
         Digest.total(_digest(second, table.name, name) for name in wanted).hash)
        for table in TABLES
    ]  # fmt: skip
    if not all(count for _, _, count, _ in rows):
        empty = next(name for name, _, count, _ in rows if not count)
        raise Failure(f"{empty} has no rows for these days: that it stays so proves nothing")
    return Passed(
        f"{len(TABLES) * len(wanted)} partitions have the same 128-bit fingerprint after both runs",
        Evidence(columns=("table", "partitions", "rows", "fingerprint"), rows=rows),
    )


@M03.check("untouched")
def untouched(probe: Probe) -> Passed:
    """A run changes its own day and no other."""
    changed = [(run, table, name) for run in probe.runs() for table, name in strays(run)]
    if changed:
        run, table, partition = changed[0]
        raise Failure(
            f"the {run.play} run of {run.ds} changed {table} {partition}, which is not its day",
            evidence=Evidence(
                columns=("run", "day", "table", "partition", "rows before", "rows after"),
                rows=[_stray(*one) for one in changed],
                partitions=[f"{name} {part}" for _, name, part in changed],
                expected=f"only {PARTITION}={run.ds} changes", found=f"{partition} changed",
                query=_diff_query(table, run.before, run.after),
            ),
            hints=(
                "Which partitions does the write replace: those of the day, or all that there are?",
                "INSERT OVERWRITE without a dynamic mode or a filter replaces the whole table.",
            ),
        )  # fmt: skip
    looked = sum(len(state.partitions) for run in probe.runs() for state in run.after.values())
    return Passed(f"{len(probe.runs())} runs left every other day's partitions as they were ({looked} looked at)")


@M03.check("effects", points=2, depends=("M03-succeeds",))
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
            raise Failure(
                "a webhook call had no idempotency key: whoever receives it cannot know a repeat", hints=_KEY_HINTS
            )
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
                hints=_KEY_HINTS,
            )  # fmt: skip
    return Passed(
        f"{sum(calls for _, calls, _ in rows)} webhook calls had {sum(counted.values())} effects, one for each content",
        Evidence(columns=("key", "calls", "effects"), rows=rows),
    )


_KEY_HINTS = (
    "What is the same in a call that repeats another, and differs when the content was corrected?",
    "Make the key from pipeline, day and a fingerprint of what was published; no time, no random number.",
)


def contents(probe: Probe, partition: str) -> int:
    """Count the different contents of the reporting tables' partition that runs of its day left behind."""
    tables = [table.name for table in TABLES if not table.in_lake]
    day = partition.partition("=")[2]
    return len(
        {
            tuple(_digest(run.after, name, partition) for name in tables)
            for run in probe.runs()
            if str(run.ds) == day and run.phase == "Succeeded"
        }
    )


def strays(run: Run) -> Iterator[tuple[str, str]]:
    """Name what a run changed that is not of its day: table and partition."""
    own = f"{PARTITION}={run.ds}"
    for name in sorted({*run.before, *run.after}):
        if spec(name) is None:
            continue
        before = run.before[name].partitions if name in run.before else {}
        now = run.after[name].partitions if name in run.after else {}
        for partition in sorted({*before, *now} - {own}):
            if before.get(partition, Digest()) != now.get(partition, Digest()):
                yield name, partition


def _stray(run: Run, table: str, partition: str) -> tuple[str, str, str, str, int, int]:
    before, now = _digest(run.before, table, partition), _digest(run.after, table, partition)
    return run.name, str(run.ds), table, partition, before.rows, now.rows


def after(probe: Probe, play: str) -> State:
    """Give the content of the tables at the end of a play."""
    found = [run for run in probe.runs() if run.play == play]
    if not found:
        raise Failure(f"there was no {play} run")
    return found[-1].after


def blame(probe: Probe, run: Run) -> str:
    """Say which node a run failed of: the leaf that failed, with its message and what its log says."""
    failed = [node for node in run.nodes if node.get("phase") in FAILED]
    leaves = [node for node in failed if node.get("type") == "Pod"] or failed
    if not leaves:
        return str(run.document.get("message") or "no node says why")
    node = leaves[0]
    said = _SAID.findall(probe.log(run.name, str(node.get("id"))))
    why = f" ({said[-1]})" if said else ""
    return f"{node.get('displayName') or node.get('name')}: {node.get('message') or node.get('phase')}{why}"


def _digest(state: State, table: str, partition: str) -> Digest:
    return state[table].partitions.get(partition, Digest()) if table in state else Digest()


def _diff_query(table: str, before: State, now: State) -> str:
    if table in before and table in now and before[table].snapshot and now[table].snapshot:
        return f"batchlab diff {table} --from {before[table].snapshot} --to {now[table].snapshot}"
    return f"SELECT {PARTITION}, count(*) FROM {table} GROUP BY {PARTITION}"
