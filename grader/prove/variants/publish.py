"""Right ways to write `publish`: each must pass every check that looks at it."""

from __future__ import annotations

from grader.prove.model import Case, Edit

REPLACE, NOTIFY, MANIFEST = (f"publish/{name}" for name in ("replace.py", "notify.py", "workflow.yaml"))
_DELETE = '    target.execute(f"DELETE FROM {table} WHERE {PARTITION} = %s", (ds.day,))\n'
_COPY = """    with target.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row(row)
"""
_STAGED = """    target.execute(f"CREATE TEMP TABLE staged (LIKE {table}) ON COMMIT DROP")
    with target.cursor().copy(f"COPY staged ({listed}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row(row)
"""
_SWAP = '    target.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM staged")\n'
_MERGE = """    same = " AND ".join(f"held.{name} = staged.{name}" for name in key)
    changed = ", ".join(f"{name} = staged.{name}" for name in columns)
    target.execute(
        f"MERGE INTO {table} AS held USING staged ON {same} "
        f"WHEN MATCHED THEN UPDATE SET {changed} "
        f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({', '.join(f'staged.{name}' for name in columns)}) "
        f"WHEN NOT MATCHED BY SOURCE AND held.{PARTITION} = '{ds}' THEN DELETE"
    )
"""
_UPSERT = """    names = ", ".join(key)
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
    target.execute(
        f"INSERT INTO {table} ({listed}) SELECT {listed} FROM staged "
        f"ON CONFLICT ({names}) DO UPDATE SET {changed}"
    )
    target.execute(
        f"DELETE FROM {table} WHERE {PARTITION} = %s AND ({names}) NOT IN (SELECT {names} FROM staged)",
        (ds.day,),
    )
"""
_KEYED = (
    Edit(file=REPLACE, old="columns: Sequence[str], rows: Rows) -> Rows:",
         new="columns: Sequence[str], rows: Rows, key: Sequence[str]) -> Rows:"),
    Edit(file=REPLACE, old="sorted_by(rows, columns, key))", new="sorted_by(rows, columns, key), key)"),
)  # fmt: skip
_UNSTAGE = '    target.execute("DROP TABLE staged")\n'
_DAG = """    - name: main
      inputs:
        parameters:
          - name: ds
      dag:
        tasks:
          - name: read
            template: read
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
          - name: replace
            depends: read
            template: replace
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
                - name: publication
                  value: '{{tasks.read.outputs.parameters.publication}}'
          - name: notify
            depends: replace
            template: notify
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
                - name: publication
                  value: '{{tasks.read.outputs.parameters.publication}}'
"""
_STEPS = """    - name: main
      inputs:
        parameters:
          - name: ds
      steps:
        - - name: pin
            template: read
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
        - - name: load
            template: replace
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
                - name: publication
                  value: '{{steps.pin.outputs.parameters.publication}}'
        - - name: tell
            template: notify
            arguments:
              parameters:
                - name: ds
                  value: '{{inputs.parameters.ds}}'
                - name: publication
                  value: '{{steps.pin.outputs.parameters.publication}}'
"""
_NOTIFY_TASK = _DAG.partition("          - name: notify\n")[1] + _DAG.partition("          - name: notify\n")[2]
_GIVEN = "          - --publication\n          - '{{inputs.parameters.publication}}'\n        env:\n"
_WEBHOOK_URL = "          - name: WEBHOOK_URL\n            value: '{{workflow.parameters.webhookUrl}}'\n"
_BOTH = '''"""Replace the day, and tell the webhook once that is committed; the step may be repeated as a whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.datatier.job import run
from pipelines.publish import notify, replace


def main(argv: Sequence[str]) -> None:
    """Do one, then the other; the key of the call is the same whenever it is repeated."""
    replace.main(argv)
    notify.main(argv)


if __name__ == "__main__":
    run(main, sys.argv[1:])
'''


def _variant(name: str, title: str, *edits: Edit) -> Case:
    return Case(id=f"publish-{name}", title=title, edits=edits, kind="variant", scope=("publish",))


CASES: tuple[Case, ...] = (
    _variant(
        "staged", "Rows are copied into a temporary table, then swapped in by DELETE and INSERT … SELECT.",
        Edit(file=REPLACE, old=_DELETE + _COPY, new=_STAGED + _DELETE + _SWAP + _UNSTAGE),
    ),
    _variant(
        "merge", "One MERGE updates, inserts, and deletes the day's rows that are gone.", *_KEYED,
        Edit(file=REPLACE, old=_DELETE + _COPY, new=_STAGED + _MERGE + _UNSTAGE),
    ),
    _variant(
        "upsert-and-delete", "An upsert, and a DELETE of the keys that are gone, in one transaction.", *_KEYED,
        Edit(file=REPLACE, old=_DELETE + _COPY, new=_STAGED + _UPSERT + _UNSTAGE),
    ),
    _variant(
        "one-step", "One container replaces the day and then, after the commit, tells the webhook.",
        Edit(file="publish/both.py", new=_BOTH),
        Edit(file=MANIFEST, old=_NOTIFY_TASK),
        Edit(file=MANIFEST, old="          - pipelines.publish.replace\n", new="          - pipelines.publish.both\n"),
        Edit(file=MANIFEST, old=_GIVEN, new=_GIVEN + _WEBHOOK_URL),
    ),
    _variant(
        "other-key", "The idempotency key has other words and half of the fingerprint.",
        Edit(file=NOTIFY, old='f"{PIPELINE}:{ds}:{publication.fingerprint}"',
             new='f"reports/{ds}/{publication.fingerprint[:16]}"'),
    ),
    _variant(
        "steps", "Steps with other names in place of a DAG.", Edit(file=MANIFEST, old=_DAG, new=_STEPS),
    ),
    _variant(
        "told-again", "Every run calls the webhook twice, with the same key.",
        Edit(file=NOTIFY, old="        status = post(url, key, body)\n",
             new="        post(url, key, body)\n        status = post(url, key, body)\n"),
    ),
    _variant(
        "column-order", "The columns of the tables are in another order.",
        Edit(file=REPLACE, old="for field in schema.fields)\n    target",
             new="for field in reversed(schema.fields))\n    target"),
    ),
)  # fmt: skip
