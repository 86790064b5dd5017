"""The database login of strangers' steps: it reads the source and owns the reports, and nothing else.

The platform's own login owns everything that the grader measures with: the source that the right answers are computed
from, and the copies of earlier reports. Steps that had it could change the question instead of answering it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import psycopg
from psycopg import sql

from pipelines.local.platform import Platform
from pipelines.local.platform.platform import STEPS_LOGIN
from pipelines.local.platform.postgres import CATALOG_DATABASE, DATABASE

ROLE = "steps"
SOURCE, REPORTS = "ops", "reporting"
CONNECTIONS = 30
# Without the languages, a table of theirs cannot bring code that would run when the grader copies it.
_SETTINGS = """
CREATE ROLE {role} LOGIN PASSWORD {password} CONNECTION LIMIT {connections};
GRANT {role} TO {owner};
GRANT CREATE ON DATABASE {database} TO {role};
REVOKE ALL ON DATABASE {catalog}, postgres, template1 FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
GRANT USAGE ON SCHEMA {source} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {source} TO {role};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {source} GRANT SELECT ON TABLES TO {role};
"""
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"


def provide(platform: Platform) -> None:
    """Make the login on a platform that runs, and have its steps use it; once."""
    path = platform.state.platform / STEPS_LOGIN
    if path.exists():
        return
    password = secrets.token_urlsafe(24)
    names = {
        "role": sql.Identifier(ROLE), "password": sql.Literal(password), "connections": sql.Literal(CONNECTIONS),
        "owner": sql.Identifier("batchlab"), "database": sql.Identifier(DATABASE),
        "catalog": sql.Identifier(CATALOG_DATABASE), "source": sql.Identifier(SOURCE),
    }  # fmt: skip
    with psycopg.connect(platform.postgres.dsn("postgres", DATABASE)) as admin:
        admin.execute(sql.SQL(_SETTINGS).format(**names))
    with psycopg.connect(platform.postgres.dsn()) as pg:
        hand_over(pg)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"postgresUser": ROLE, "postgresPassword": password}), encoding="utf-8")


def hand_over(pg: psycopg.Connection[Any]) -> None:
    """Give the steps the reports: whoever puts an earlier moment back has made the schema and its tables anew."""
    owner = sql.SQL(" OWNER TO {}").format(sql.Identifier(ROLE))
    pg.execute(sql.SQL("ALTER SCHEMA {}").format(sql.Identifier(REPORTS)) + owner)
    for (table,) in pg.execute(_TABLES, (REPORTS,)).fetchall():
        pg.execute(sql.SQL("ALTER TABLE {}").format(sql.Identifier(REPORTS, table)) + owner)
