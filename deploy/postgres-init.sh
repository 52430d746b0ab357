#!/bin/bash
# Run once by the Postgres image, in an empty data directory: the site's role and database.
#
# The image's own user is a superuser, whom row-level security does not bind; the site refuses to work as one.
set -euo pipefail

site_password=$(cat "${SITE_PASSWORD_FILE:?names the file with the password of the role login_with_zoho}")
psql -X -q -v ON_ERROR_STOP=1 -v password="$site_password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role login_with_zoho login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';
alter role login_with_zoho set statement_timeout = '3s';
alter role login_with_zoho set lock_timeout = '1s';
alter role login_with_zoho set idle_in_transaction_session_timeout = '5s';
create database login_with_zoho owner login_with_zoho;
revoke all on database login_with_zoho from public;
SQL
