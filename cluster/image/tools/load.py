"""Load the source data, where it is missing or different, into the PostgreSQL that PGHOST, PGUSER and so on name."""

from __future__ import annotations

from grader.data.loader import load

if __name__ == "__main__":
    done = load("", progress=lambda what, share: print(f"{share:4.0%} {what}", flush=True))
    for name, rows in done.rows.items():
        print(f"ops.{name}: {rows:,} rows", flush=True)
