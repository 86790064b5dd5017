"""Pipeline `transform`: a day of `lake.raw` becomes a day of `lake.curated` (Spark) and of `lake.marts` (dbt)."""
