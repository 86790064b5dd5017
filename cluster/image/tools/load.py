"""Load the source data into the PostgreSQL of libpq's own variables (PGHOST, PGUSER …), where it is missing or different."""

from __future__ import annotations

from grader.data.loader import load

if __name__ == "__main__":
    done = load("", progress=lambda what, share: print(f"{share:4.0%} {what}", flush=True))
    for name, rows in done.rows.items():
        print(f"ops.{name}: {rows:,} rows", flush=True)
