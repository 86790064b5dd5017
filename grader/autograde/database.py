"""The database login of strangers' steps: it reads the source and owns the reports, and nothing else.

The platform's own login owns everything that the grader measures with: the source that the right answers are computed
from, and the copies of earlier reports. Steps that had it could change the question instead of answering it.
"""

from __future__ import annotations

import secrets

import psycopg
from psycopg import sql

from pipelines.local.platform import Platform
from pipelines.local.platform.postgres import CATALOG_DATABASE, DATABASE

ROLE = "steps"
SOURCE, REPORTS = "ops", "reporting"
CONNECTIONS = 30
# Whoever makes the schema of the reports, or a table in it (the grader does, when it puts an earlier moment back), makes
# it for the steps. Without the languages, a table of theirs cannot bring code that would run when the grader reads it.
_SETTINGS = """
CREATE ROLE {role} LOGIN PASSWORD {password} CONNECTION LIMIT {connections};
GRANT {role} TO {owner};
GRANT CREATE ON DATABASE {database} TO {role};
REVOKE ALL ON DATABASE {catalog}, postgres, template1 FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
GRANT USAGE ON SCHEMA {source} TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {source} TO {role};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {source} GRANT SELECT ON TABLES TO {role};
ALTER SCHEMA {reports} OWNER TO {role};
CREATE FUNCTION pg_catalog.batchlab_give() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
DECLARE made record;
BEGIN
  FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
    IF made.object_type = 'schema' AND made.object_identity = {reports_text} THEN
      EXECUTE format('ALTER SCHEMA %s OWNER TO {role}', made.object_identity);
    ELSIF made.object_type = 'table' AND made.schema_name = {reports_text} THEN
      EXECUTE format('ALTER TABLE %s OWNER TO {role}', made.object_identity);
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER batchlab_give ON ddl_command_end
  WHEN TAG IN ('CREATE SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
  EXECUTE FUNCTION pg_catalog.batchlab_give();
"""


def provide(platform: Platform) -> None:
    """Make the login on a platform that was just started, and have its steps use it."""
    password = secrets.token_urlsafe(24)
    names = {
        "role": sql.Identifier(ROLE), "password": sql.Literal(password), "connections": sql.Literal(CONNECTIONS),
        "owner": sql.Identifier("batchlab"), "database": sql.Identifier(DATABASE),
        "catalog": sql.Identifier(CATALOG_DATABASE), "source": sql.Identifier(SOURCE),
        "reports": sql.Identifier(REPORTS), "reports_text": sql.Literal(REPORTS),
    }  # fmt: skip
    with psycopg.connect(platform.postgres.dsn("postgres", DATABASE)) as admin:
        admin.execute("SET LOCAL allow_system_table_mods = on")  # the function is out of the steps' reach there
        admin.execute(sql.SQL(_SETTINGS).format(**names))
    platform.login = {"postgresUser": ROLE, "postgresPassword": password}
