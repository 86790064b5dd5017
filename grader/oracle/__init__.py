"""The right answer for every table, computed in DuckDB from the source alone, by the rules of `pipelines/DATA.md`."""
