#!/bin/sh
# Runs deploy/postgres/bootstrap.sql with the passwords of the roles. Running it again changes nothing.
set -eu

options="-c client_min_messages=warning"
for role in billing gateway indexer registry scheduler validator; do
    options="$options -c fluxplane.password_$role=$(cat "/identity/db-$role")"
done
PGPASSWORD=$(cat /identity/postgres-password)
export PGPASSWORD PGOPTIONS="$options"
exec psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --host postgres --username postgres --dbname fluxplane \
    --file /bootstrap.sql
