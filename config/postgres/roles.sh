#!/bin/sh
# Runs once, when the database of docker-compose.yml is made. POSTGRES_USER owns the tables and migrates; the server
# runs as realmkeep_app, which may use them but cannot change or drop them: not even the server can rewrite the audit
# trail. `manage.py migrate` gives it the use of each table.
set -eu

psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v password="$REALMKEEP_APP_PASSWORD" <<'SQL'
CREATE ROLE realmkeep_app LOGIN PASSWORD :'password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SQL
