"""All mutants and variants, in a fixed order."""

from __future__ import annotations

from grader.prove.model import Case
from grader.prove.mutants import ingest, lineage, manifests, publish, transform
from grader.prove.variants import ingest as ingest_variants
from grader.prove.variants import publish as publish_variants
from grader.prove.variants import transform as transform_variants

MUTANTS: tuple[Case, ...] = (
    *ingest.CASES, *transform.CASES, *publish.CASES, *manifests.CASES, *lineage.CASES,
)  # fmt: skip
VARIANTS: tuple[Case, ...] = (*ingest_variants.CASES, *transform_variants.CASES, *publish_variants.CASES)
CASES: tuple[Case, ...] = (*MUTANTS, *VARIANTS)
