"""Mutants of lineage: events that are missing, wrong or of nobody, and snapshots that nothing accounts for."""

from __future__ import annotations

from grader.prove.model import Case, Edit
from grader.prove.mutants.marts import AUDIT

INGEST, TRANSFORM, PUBLISH = (f"{name}/workflow.yaml" for name in ("ingest", "transform", "publish"))
REPLACE, NOTIFY = "publish/replace.py", "publish/notify.py"
_CONF = "              spark."
_LISTENER = f"{_CONF}extraListeners: io.openlineage.spark.agent.OpenLineageSparkListener\n"
_PARENT = f"{_CONF}openlineage.parentJobName: '{{{{workflow.name}}}}.{{{{node.name}}}}'\n"
_PROPERTY = f"{_CONF}sql.iceberg.snapshot-property.batchlab."
_EMITTING = '    with emitting("publish.replace") as lineage:\n'
_PUBLISHING = '    with emitting("transform.audit") as lineage:\n'
_OVERWRITE = """\
    held = catalog.load_table(identifier(CURATED.name))
    held.overwrite(read_partition(catalog, CURATED, ds), EqualTo(CURATED.partition, str(ds)){more})
"""


def _mutant(name: str, title: str, check: str, *edits: Edit) -> Case:
    return Case(id=f"lineage-{name}", title=title, edits=edits, check=check)


def _edit(file: str, old: str, new: str) -> Edit:
    return Edit(file=file, old=old, new=new)


def _by_hand(more: str) -> tuple[Edit, ...]:
    """Let the last step write the curated day again, by pyiceberg."""
    return (
        _edit(AUDIT, _PUBLISHING, f"{_OVERWRITE.format(more=more)}{_PUBLISHING}"),
        _edit(AUDIT, "from pipelines.datatier.audit import", "from pyiceberg.expressions import EqualTo\n\n"
                                                             "from pipelines.datatier.audit import"),
    )  # fmt: skip


_SPARK = (
    _mutant("no-listener", "The step that curates runs Spark without the listener of OpenLineage.", "M08-edges",
            _edit(TRANSFORM, _LISTENER, "")),
    _mutant("no-parent", "The events of a Spark step name no workflow node.", "M08-parents",
            _edit(INGEST, _PARENT, "")),
    _mutant(
        "run-of-workflow", "The run id of a Spark step's parent is the workflow's, not the node's.", "M08-parents",
        _edit(INGEST, "openlineage.parentRunId: '{{inputs.parameters.lineageRun}}'",
              "openlineage.parentRunId: '{{workflow.uid}}'"),
    ),
    _mutant("no-properties", "The commits of a Spark step do not say which workflow made them.", "M08-snapshots",
            _edit(INGEST, f"{_PROPERTY}workflow: '{{{{workflow.name}}}}'\n", "")),
    _mutant("constant-node", "The commits of a Spark step give a word in place of the node's name.", "M08-snapshots",
            _edit(INGEST, f"{_PROPERTY}node: '{{{{node.name}}}}'\n", f"{_PROPERTY}node: spark\n")),
    _mutant(
        "other-node", "The commits of dbt's step name the step from which its manifest was copied.", "M08-nodes",
        _edit(TRANSFORM, f"""{_PROPERTY}node: '{{{{node.name}}}}'
{_PROPERTY}ds: '{{{{inputs.parameters.ds}}}}'
{_PROPERTY}code: '{{{{workflow.parameters.image}}}}'
{_LISTENER}{_CONF}openlineage.appName: transform.build
""", f"""{_PROPERTY}node: curate
{_PROPERTY}ds: '{{{{inputs.parameters.ds}}}}'
{_PROPERTY}code: '{{{{workflow.parameters.image}}}}'
{_LISTENER}{_CONF}openlineage.appName: transform.build
"""),
    ),
    _mutant(
        "no-columns", "The column lineage of Spark is limited to tables of a few columns.", "M08-columns",
        _edit(TRANSFORM, _LISTENER, f"{_LISTENER}{_CONF}openlineage.columnLineage.schemaSizeLimit: '5'\n"),
    ),
    _mutant("by-hand", "The last step writes the curated day again, and neither commit nor event says so.",
            "M08-snapshots", *_by_hand("")),
    _mutant("untold", "The last step writes the curated day again, which its events do not tell.", "M08-nodes",
            *_by_hand(", snapshot_properties=properties")),
    _mutant(
        "phantom", "The step that makes the marts visible says that they are made from the raw flights.", "M08-edges",
        _edit(AUDIT, _PUBLISHING, f"""{_PUBLISHING}\
        lineage.inputs = [iceberg_dataset(catalog.load_table(("raw", "flights")), "lake.raw.flights", None)]
"""),
    ),
)  # fmt: skip

_PYTHON = (
    _mutant("silent", "The step that replaces the reports sends no events.", "M08-edges",
            _edit(PUBLISH, "value: '{{workflow.parameters.openlineageType}}'", "value: ''")),
    _mutant(
        "parent-workflow", "The events of a Python step name the workflow, and not the node.", "M08-parents",
        _edit(PUBLISH, "value: batchlab/{{workflow.name}}.{{node.name}}/", "value: batchlab/{{workflow.name}}/"),
    ),
    _mutant(
        "old-columns", "A step says which columns it reads by a list that is older than the table.", "M08-columns",
        _edit(REPLACE, "{name: [(inputs[-1], name)] for name in columns}",
              '{name: [(inputs[-1], name.replace("avg_", "mean_"))] for name in columns}'),
    ),
    _mutant(
        "overwritten", "All steps of a run write one file of events, each from its beginning.", "M08-edges",
        Edit(file=PUBLISH, old="/{{inputs.parameters.lineageRun}}.ndjson", new="/{{workflow.name}}.ndjson", every=True),
        _edit(NOTIFY, '    with emitting("publish.notify") as lineage:\n', """\
    if os.environ.get("OPENLINEAGE_TYPE") == "file":
        Path(os.environ["OPENLINEAGE_LOCATION"]).write_text("", encoding="utf-8")
    with emitting("publish.notify") as lineage:
"""),
        _edit(NOTIFY, "from urllib.parse", "from pathlib import Path\nfrom urllib.parse"),
    ),
    _mutant(
        "first-run-only", "A step tells its lineage when it creates the tables, and never again.", "M08-stale",
        _edit(REPLACE, _EMITTING, """\
    with connect() as target:
        found = target.execute("SELECT to_regclass('reporting.carrier_daily')").fetchone()
    with emitting("publish.replace", None if found[0] is None else {}) as lineage:
"""),
    ),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_SPARK, *_PYTHON)
