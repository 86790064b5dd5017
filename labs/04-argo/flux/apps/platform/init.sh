# Runs once, when the data folder is new: who may log in, and what is theirs. The image's entrypoint sources it.
psql -v ON_ERROR_STOP=1 -U postgres -d postgres -v steps="$STEPS_PASSWORD" -v catalog="$CATALOG_PASSWORD" <<'SQL'
CREATE ROLE batchlab LOGIN REPLICATION PASSWORD :'steps';
CREATE ROLE catalog LOGIN PASSWORD :'catalog';
CREATE DATABASE batchlab OWNER batchlab;
CREATE DATABASE catalog OWNER catalog;
REVOKE CONNECT ON DATABASE batchlab, catalog FROM PUBLIC;
\connect batchlab
CREATE SCHEMA ops AUTHORIZATION batchlab;
CREATE SCHEMA reporting AUTHORIZATION batchlab;
SQL
