"""All checks, in the order of the items."""

from __future__ import annotations

from grader.checks.m01_operator import M01
from grader.checks.m02_content import M02
from grader.checks.m03_effects import M03 as M03_EFFECTS
from grader.checks.m03_idempotency import M03
from grader.checks.m04_argo import M04
from grader.checks.m05_spark import M05
from grader.checks.m06_schedule import M06
from grader.checks.m07_retries import M07
from grader.checks.m08_lineage import M08
from grader.checks.m09_dbt import M09
from grader.checks.m09_gate import M09 as M09_GATE
from grader.checks.m10_backfill import M10
from grader.checks.model import Check
from grader.checks.on_cluster import M01 as M01_ON_CLUSTER
from grader.checks.on_cluster import M04 as M04_ON_CLUSTER

CHECKS: tuple[Check, ...] = tuple(
    check
    for registry in (M01, M02, M03, M03_EFFECTS, M04, M05, M06, M07, M08, M09, M09_GATE, M10)
    for check in registry.checks
)
"""What every target can answer."""

CLUSTER_CHECKS: tuple[Check, ...] = (*M01_ON_CLUSTER.checks, *M04_ON_CLUSTER.checks)
"""What only a cluster can answer, beside those."""
