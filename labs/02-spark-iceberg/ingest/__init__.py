"""Pipeline `ingest`: one day of the operational database becomes one partition of `lake.raw`."""
