"""Mutants of `publish`: what goes into PostgreSQL, and what the webhook is told."""

from __future__ import annotations

from grader.prove.model import Case, Edit

REPLACE, READ, NOTIFY, MART, MANIFEST = (
    f"publish/{name}" for name in ("replace.py", "read.py", "notify.py", "publication.py", "workflow.yaml")
)
_DELETE = '    target.execute(f"DELETE FROM {table} WHERE {PARTITION} = %s", (ds.day,))\n'
_COPY = """    with target.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row(row)
"""
_UNVERIFIED = Edit(
    file=REPLACE,
    old="""        if fingerprint(held) != publication.fingerprint:
            raise JobError(f"reporting would not hold what the marts hold of {ds}; nothing is changed")
""",
)
"""Drop the comparison with what was pinned, which would stop most mistakes: a learner's solution has none."""
_NUMERIC = 'return f"numeric({kind.precision},{kind.scale})"'
_GIVEN = "          - --publication\n          - '{{inputs.parameters.publication}}'\n        env:\n"
_WEBHOOK_URL = "          - name: WEBHOOK_URL\n            value: '{{workflow.parameters.webhookUrl}}'\n"
_KEY = '    key = f"{PIPELINE}:{ds}:{publication.fingerprint}"\n'
_POST = "        status = post(url, key, body)\n"
_UPSERT = """    names = ", ".join(key)
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
    statement = (
        f"INSERT INTO {table} ({listed}) VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT ({names}) DO UPDATE SET {changed}"
    )
    with target.cursor() as cursor:
        cursor.executemany(statement, rows)
"""
_KEYED = (
    Edit(file=REPLACE, old="columns: Sequence[str], rows: Rows) -> Rows:",
         new="columns: Sequence[str], rows: Rows, key: Sequence[str]) -> Rows:"),
    Edit(file=REPLACE, old="sorted_by(rows, columns, key))", new="sorted_by(rows, columns, key), key)"),
)  # fmt: skip
_MARKED = """    with connect() as target:
        target.execute("CREATE SCHEMA IF NOT EXISTS reporting")
        target.execute("CREATE TABLE IF NOT EXISTS reporting.published (day date, content text, UNIQUE (day, content))")
        marked = target.execute(
            "INSERT INTO reporting.published VALUES (%s, %s) ON CONFLICT DO NOTHING", (ds.day, publication.fingerprint)
        )
        if not marked.rowcount:
            return [], []
"""


def _mutant(name: str, title: str, check: str, *edits: Edit) -> Case:
    return Case(id=f"publish-{name}", title=title, edits=edits, check=check, scope=("publish",))


def _key(name: str, title: str, text: str, *, first: str = "") -> Case:
    """Announce with another idempotency key."""
    edits = [Edit(file=NOTIFY, old=_KEY, new=f"    key = {text}\n")]
    if first:
        edits.append(Edit(file=NOTIFY, old="import os\n", new=first))
    return _mutant(name, title, "M03-effects", *edits)


_TABLES = (
    _mutant(
        "append", "Rows are added to those that are there, which the key of the table forbids.", "M03-succeeds",
        Edit(file=REPLACE, old=_DELETE),
    ),
    _mutant(
        "append-without-key", "Rows are added to those that are there, and the table has no key.", "M03-keys",
        Edit(file=REPLACE, old=_DELETE), Edit(file=REPLACE, old=", PRIMARY KEY ({', '.join(key)}))", new=")"),
        _UNVERIFIED,
    ),
    _mutant(
        "delete-all", "The whole table is emptied before the day is written.", "M03-untouched",
        Edit(file=REPLACE, old=_DELETE, new='    target.execute(f"DELETE FROM {table}")\n'),
    ),
    _mutant(
        "drop-table", "The table is dropped and made anew for each day.", "M03-untouched",
        Edit(file=REPLACE, old='    target.execute(f"CREATE TABLE IF',
             new='    target.execute(f"DROP TABLE IF EXISTS {table}")\n    target.execute(f"CREATE TABLE IF'),
    ),
    _mutant(
        "delete-forward", "The day and all later ones are deleted before the day is written.", "M03-emptied",
        Edit(file=REPLACE, old=_DELETE, new=_DELETE.replace("} = %s", "} >= %s")),
    ),
    _mutant(
        "upsert", "An upsert leaves rows whose keys are gone.", "M03-emptied", *_KEYED,
        Edit(file=REPLACE, old=_DELETE + _COPY, new=_UPSERT), _UNVERIFIED,
    ),
    _mutant(
        "skip-empty", "Nothing is replaced when there is nothing to write.", "M03-emptied",
        Edit(file=REPLACE, old=_DELETE, new=f"    if not rows:\n        return []\n{_DELETE}"),
    ),
    _mutant(
        "insert-missing", "Rows that are there are kept as they are, so corrections are lost.", "M03-late",
        Edit(file=REPLACE, old=_DELETE + _COPY, new=_UPSERT.replace("DO UPDATE SET {changed}", "DO NOTHING")
             .replace('    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)\n', "")),
        *_KEYED, _UNVERIFIED,
    ),
    _mutant(
        "marked-first", "A day is marked as published before it is; killed between, it never will be.", "M03-crash",
        Edit(file=REPLACE, old="    with connect() as target:\n", new=_MARKED + "    with connect() as target:\n"),
    ),
    _mutant(
        "written-at", "A column says when a row was written.", "M03-same",
        Edit(file=REPLACE, old="({columns}, PRIMARY", new="({columns}, written_at timestamptz DEFAULT now(), PRIMARY"),
    ),
    _mutant(
        "rounded", "Averages are published in whole minutes.", "M02-content", _UNVERIFIED,
        Edit(file=REPLACE, old=_NUMERIC, new='return f"numeric({kind.precision},0)"'),
    ),
    _mutant(
        "float", "Averages go through a float of four bytes.", "M02-content", _UNVERIFIED,
        Edit(file=REPLACE, old=_NUMERIC, new='return "real"'),
    ),
    _mutant(
        "filtered", "Carriers and routes with a cancelled flight are left out.", "M02-content",
        Edit(file=MART, old="import EqualTo\n", new="import And, EqualTo\n"),
        Edit(file=MART, old="row_filter=EqualTo(PARTITION, str(ds))",
             new='row_filter=And(EqualTo(PARTITION, str(ds)), EqualTo("cancelled_flights", 0))'),
    ),
    _mutant(
        "limited", "At most a hundred rows of a day are read.", "M02-content",
        Edit(file=MART, old="snapshot_id=current)", new="snapshot_id=current, limit=100)"),
    ),
    _mutant(
        "yesterday", "The day before is read in place of the day.", "M02-content",
        Edit(file=MART, old="import hashlib\n", new="import datetime\nimport hashlib\n"),
        Edit(file=MART, old="EqualTo(PARTITION, str(ds))",
             new="EqualTo(PARTITION, str(ds.day - datetime.timedelta(days=1)))"),
        _UNVERIFIED,
    ),
    _mutant(
        "one-table", "One of the two tables is forgotten.", "M02-content",
        Edit(file=MART, old='    "lake.marts.route_daily": "reporting.route_daily",\n'),
    ),
)  # fmt: skip

_WEBHOOK = (
    _mutant(
        "without-key", "The webhook is called without an idempotency key.", "M03-effects",
        Edit(file=NOTIFY, old="import os\n", new="import json\nimport os\nimport urllib.request\n"),
        Edit(file=NOTIFY, old=_POST, new="""        call = urllib.request.Request(
            url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(call, timeout=10) as response:
            status = response.status
"""),
    ),
    _key("key-time", "The idempotency key holds the time of the call.", 'f"{PIPELINE}:{ds}:{time.time_ns()}"',
         first="import os\nimport time\n"),
    _key("key-random", "The idempotency key is a random number.", "str(uuid.uuid4())",
         first="import os\nimport uuid\n"),
    _key("key-workflow", "The idempotency key holds the workflow's name, new in each run.",
         'f"{PIPELINE}:{ds}:{given.workflow}"'),
    _key("key-snapshot", "The idempotency key holds snapshot ids, which differ where the content does not.",
         'f"{PIPELINE}:{ds}:{sorted(publication.snapshots.values())}"'),
    _key("key-day", "The idempotency key is the day: corrected content is taken for a repeat.", 'f"{PIPELINE}:{ds}"'),
    _key("key-rows", "The idempotency key holds the number of rows: corrections in place are taken for a repeat.",
         'f"{PIPELINE}:{ds}:{sorted(publication.rows.items())}"'),
    _mutant(
        "twice", "The webhook is called twice, with two keys.", "M03-effects",
        Edit(file=NOTIFY, old=_POST, new=f'{_POST}        post(url, f"{{key}}:done", body)\n'),
    ),
    _mutant(
        "announced-first", "The webhook is called before the rows are there.", "M03-announced",
        Edit(file=MANIFEST, old="          - name: replace\n            depends: read\n",
             new="          - name: replace\n            depends: notify\n"),
        Edit(file=MANIFEST, old="          - name: notify\n            depends: replace\n",
             new="          - name: notify\n            depends: read\n"),
    ),
    _mutant(
        "announced-inside", "The webhook is called inside the transaction, before its commit.", "M03-announced",
        Edit(file=REPLACE, old="    return inputs, outputs\n",
             new="        announce(ds, publication)\n    return inputs, outputs\n"),
        Edit(file=REPLACE, old="def main(", new='''def announce(ds: LogicalDate, publication: Publication) -> None:
    """Tell the webhook."""
    body = {"pipeline": "publish", "ds": str(ds), "fingerprint": publication.fingerprint}
    post(os.environ["WEBHOOK_URL"], f"publish:{ds}:{publication.fingerprint}", body)


def main('''),
        Edit(file=REPLACE, old="from pipelines.datatier.postgres import connect\n",
             new="from pipelines.datatier.notify import post\nfrom pipelines.datatier.postgres import connect\n"),
        Edit(file=REPLACE, old="from collections.abc", new="import os\nfrom collections.abc"),
        Edit(file=MANIFEST, old=_GIVEN, new=_GIVEN + _WEBHOOK_URL),
    ),
    _mutant(
        "deaf", "An error of the webhook is printed and forgotten.", "M07-transient",
        Edit(file=NOTIFY, old=_POST, new="""        try:
            status = post(url, key, body)
        except JobError as error:
            print(error)
            status = 0
"""),
        Edit(file=NOTIFY, old="from pipelines.datatier.job import",
             new="from pipelines.datatier.errors import JobError\nfrom pipelines.datatier.job import"),
    ),
    _mutant(
        "continued", "The workflow goes on when the announcement fails.", "M07-transient",
        Edit(file=MANIFEST, old="          - name: notify\n            depends: replace\n",
             new="          - name: notify\n            dependencies: [replace]\n"
                 "            continueOn: {failed: true}\n"),
        Edit(file=MANIFEST, old="        limit: 5\n", new="        limit: 0\n"),
        Edit(file=MANIFEST, old="            depends: read\n", new="            dependencies: [read]\n"),
    ),
    _mutant(
        "not-retried", "The step that calls the webhook is not retried.", "M07-transient",
        Edit(file=MANIFEST, old="""      retryStrategy:
        backoff:
          cap: 1m
          duration: 5s
          factor: 2
        expression: '!(lastRetry.exitCode in [`2`, `3`])'
        limit: 5
        retryPolicy: Always
    - name: main
""", new="    - name: main\n"),
    ),
)  # fmt: skip

CASES: tuple[Case, ...] = (*_TABLES, *_WEBHOOK)
