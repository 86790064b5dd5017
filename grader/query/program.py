"""Run as a program by a Spark driver, `program.py QUESTIONS ANSWERS`: run SQL statements, and write what they gave.

QUESTIONS is JSON: `{"statements": [text, …], "most": rows}`. ANSWERS gets `{"answers": [{"columns": [name, …],
"rows": [[text or null, …], …], "more": bool}, …]}`, and `"error": text` where a statement failed; those after it are
not run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


def main(questions: str, answers: str) -> None:
    """Run the statements in their order."""
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    spark = SparkSession.builder.getOrCreate()
    found: dict[str, Any] = {"answers": []}
    try:
        for statement in asked["statements"]:
            found["answers"].append(_answer(spark, statement, asked["most"]))
    except PySparkException as error:
        found["error"] = (error.getMessage() or str(error)).strip().splitlines()[0]
    finally:
        Path(answers).write_text(json.dumps(found), encoding="utf-8")
        spark.stop()


def _answer(spark: SparkSession, statement: str, most: int) -> dict[str, Any]:
    frame = spark.sql(statement)
    numbered = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))  # names may occur twice
    # Spark writes the texts: a driver has no Python type for some of its values
    shown = numbered.select(*(numbered[name].cast("string") for name in numbered.columns))
    rows = [list(row) for row in shown.take(most + 1)] if frame.columns else []
    return {"columns": frame.columns, "rows": rows[:most], "more": len(rows) > most}


if __name__ == "__main__":
    main(*sys.argv[1:])
