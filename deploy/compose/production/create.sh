#!/bin/sh
# Run once by PostgreSQL's image, when its volume is empty: a database of the service, whose user owns nothing else and
# may neither create databases nor roles. Again by hand after a lost password: it only sets it.
set -eu

password=$(cat "${DATABASE_PASSWORD_FILE:-/run/secrets/database_password}")
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -v password="$password" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
SELECT 'CREATE ROLE app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') \gexec
ALTER ROLE app PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
SELECT 'CREATE DATABASE app OWNER app ENCODING ''UTF8'' TEMPLATE template0'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'app') \gexec
REVOKE ALL ON DATABASE app FROM PUBLIC;
SQL
