"""Parameters of workflows: where things are comes from ConfigMap `lake`, on a laptop as on a cluster."""

from __future__ import annotations

from hera.workflows import Parameter
from hera.workflows.models import ConfigMapKeySelector, ValueFrom

CONFIG_MAP = "lake"
SECRET = "lake-credentials"  # noqa: S105 - a name
FROM_CONFIG_MAP = (
    "catalogUri",
    "warehouse",
    "postgresHost",
    "postgresPort",
    "postgresDatabase",
    "webhookUrl",
    "openlineageType",
    "openlineageLocation",
    "openlineageUrl",
    "image",
    "codeRoot",
    "yearShift",
)
# First and last flight date of the data: a logical date outside is a mistake, not an empty day
WITH_VALUE = {"firstDay": "2013-01-01", "lastDay": "2013-12-31"}


def configuration(extra: dict[str, str] | None = None) -> list[Parameter]:
    """Return the workflow parameters that all pipelines share, and a pipeline's own with their defaults."""
    found = [
        Parameter(
            name=name,
            value_from=ValueFrom(config_map_key_ref=ConfigMapKeySelector(name=CONFIG_MAP, key=name)),
        )
        for name in FROM_CONFIG_MAP
    ]
    return [*found, *(Parameter(name=name, value=value) for name, value in {**WITH_VALUE, **(extra or {})}.items())]


def workflow(name: str) -> str:
    """Refer to a workflow parameter."""
    return f"{{{{workflow.parameters.{name}}}}}"


def given(name: str) -> str:
    """Refer to an input parameter of the template."""
    return f"{{{{inputs.parameters.{name}}}}}"


# A UUID (version 5 in form) that anyone can compute from the workflow's uid and the node's name. It is the default of
# an input parameter, so that the node shows it. Backticks quote: to the YAML and JSON around them they are plain text.
_RUN_ID = (
    "{{= let h = sprig.sha1sum(workflow.uid + `/` + node.name);"
    " h[0:8] + `-` + h[8:12] + `-5` + h[13:16] + `-a` + h[17:20] + `-` + h[20:32] }}"
)
RUN_ID = "lineageRun"


def inputs(*names: str, lineage: bool) -> list[Parameter]:
    """Return a step's input parameters: `ds`, others, and the run id of its lineage where it emits any."""
    run = [Parameter(name=RUN_ID, value=_RUN_ID)] if lineage else []
    return [Parameter(name="ds"), *(Parameter(name=name) for name in names), *run]
