"""Checks, evidence, reports and the `batchlab` command line."""
