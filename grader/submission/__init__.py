"""A submission: a folder that says in `submission.toml` which pipelines, dbt project and Flux tree it brings."""

from grader.submission.folder import Pipeline, Submission, read, reference, seeded

__all__ = ["Pipeline", "Submission", "read", "reference", "seeded"]
