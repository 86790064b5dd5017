"""The course's pipelines in Dagster: what each of them makes is an asset, with a partition for each day.

A pipeline runs as it always does: as its Argo workflow, by `batchlab run`. Dagster decides when, and remembers what for.
"""

import json
import os
import subprocess
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

HERE = Path(__file__).resolve().parent
DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01", timezone="America/New_York")
PATIENCE = dg.RetryPolicy(max_retries=10, delay=1)


def batchlab(*words: str) -> dict:
    """Run a command of the kit, and read the JSON that it prints."""
    done = subprocess.run([os.environ["BATCHLAB"], *words, "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise dg.Failure(f"batchlab {words[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def run_pipeline(name: str) -> str:
    """Run a pipeline for its day; returns the name of the run."""
    day = date.today() - timedelta(days=1)
    return batchlab("run", "--submission", str(HERE), "--name", name, "-p", f"ds={day}")["name"]


def made(context: dg.AssetExecutionContext, pipeline: str, table: str) -> dg.MaterializeResult:
    """Run a pipeline, and say what is in its table for the day now."""
    run = run_pipeline(pipeline)
    found = batchlab("fingerprint", table)["partitions"].get(f"flight_date={context.partition_key}", {})
    return dg.MaterializeResult(
        metadata={"workflow": run, "rows": found.get("rows", 0), "fingerprint": found.get("hash", "none")}
    )


@dg.asset(partitions_def=DAYS, retry_policy=PATIENCE)
def raw_flights(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """`lake.raw.flights`: a day of the operational database."""
    return made(context, "ingest", "lake.raw.flights")


@dg.asset(partitions_def=DAYS, retry_policy=PATIENCE)
def marts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """`lake.marts`: a day by airline and by route."""
    return made(context, "transform", "lake.marts.carrier_daily")


@dg.asset(partitions_def=DAYS, retry_policy=PATIENCE)
def reports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """`reporting`: the same in PostgreSQL, and a call of the webhook."""
    return dg.MaterializeResult(metadata={"workflow": run_pipeline("publish")})


@dg.op(retry_policy=PATIENCE, out=dg.Out(dg.Nothing))
def ingest(context: dg.OpExecutionContext) -> None:
    """Run the pipeline of that name."""
    run_pipeline("ingest")


@dg.op(retry_policy=PATIENCE, ins={"ingested": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def transform(context: dg.OpExecutionContext) -> None:
    """Run the pipeline of that name, after `ingest`."""
    run_pipeline("transform")


@dg.op(retry_policy=PATIENCE, ins={"transformed": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def publish(context: dg.OpExecutionContext) -> None:
    """Run the pipeline of that name, after `transform`."""
    run_pipeline("publish")


@dg.job(partitions_def=DAYS)
def daily() -> None:
    """Tasks in an order: what Argo's workflow `daily` says."""
    publish(transform(ingest()))


every_day = dg.build_schedule_from_partitioned_job(
    dg.define_asset_job("assets_of_a_day", selection="*", partitions_def=DAYS), hour_of_day=7
)
defs = dg.Definitions(assets=[raw_flights, marts, reports], jobs=[daily], schedules=[every_day])
