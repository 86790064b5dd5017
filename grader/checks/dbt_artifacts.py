"""What dbt left in the folder of its step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grader.checks.model import Evidence, Failure
from grader.checks.probe import Probe, Run


def results_of(probe: Probe, run: Run) -> list[Mapping[str, Any]]:
    """Give what dbt says of each model and test of its last command.

    Raises:
        Failure: it left nothing.
    """
    return list(artifact(probe, run, "run_results.json")["results"])


def models_run_before(probe: Probe, run: Run) -> list[str]:
    """Name the models that an earlier command ran: `dbt test` writes its results over those of `dbt run`."""
    folder = probe.dbt_artifacts(run)
    nodes: Mapping[str, Mapping[str, Any]] = artifact(probe, run, "manifest.json")["nodes"]
    models = {name: node for name, node in nodes.items() if node.get("resource_type") == "model"}
    paths = {name: node.get("original_file_path") for name, node in models.items()}
    return [name for name, path in paths.items() if folder and path and list((folder / "run").glob(f"*/{path}"))]


def artifact(probe: Probe, run: Run, name: str) -> Mapping[str, Any]:
    """Read one of the JSON files that dbt leaves in its target folder.

    Raises:
        Failure: there is none.
    """
    folder = probe.dbt_artifacts(run)
    path = folder / name if folder else None
    if path is None or not path.is_file():
        raise Failure(
            f"run {run.name} left no {name}: dbt did not run as one of its steps",
            evidence=Evidence(expected=name, found="nothing"),
            hints=(
                "Which step runs dbt, and where does it leave what dbt writes?",
                "dbt writes manifest.json and run_results.json to target/, which is looked for below the step folder.",
                "dbt build --target-path target, run in the step's working directory, which is kept after the step.",
            ),
        )
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
