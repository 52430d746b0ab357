#!/usr/bin/env bash
# Makes the files in secrets/ that docker-compose.yml mounts, as far as they are missing: keys and passwords at random,
# the client's secret from standard input or, empty, to be filled in.
#
#   deploy/secrets.sh                       then write secrets/zoho_client_secret
#   deploy/secrets.sh < client_secret.txt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

random() { # bytes, in base64
  head -c "$1" /dev/urandom | base64 | tr -d '\n'
}

# Containers read them as users of their own; the directory keeps everybody else out.
umask 022
mkdir -p secrets
chmod 700 secrets
make() { # name, content
  [[ -s secrets/$1 ]] || printf '%s\n' "$2" >"secrets/$1"
}

make encryption_keys "k1:$(random 32)"
make postgres_password "$(random 24 | tr '+/' '-_')"
make site_password "$(random 24 | tr '+/' '-_')"
site_password=$(cat secrets/site_password)
make database_url "postgres://login_with_zoho:$site_password@db/login_with_zoho"
make demo_database_url "postgres://login_with_zoho:$site_password@127.0.0.1:15432/login_with_zoho"
make demo_client_secret "$(random 24 | tr '+/' '-_')"
if [[ ! -e secrets/zoho_client_secret ]]; then
  if [[ -t 0 ]]; then : >secrets/zoho_client_secret; else cat >secrets/zoho_client_secret; fi
fi
if [[ ! -s secrets/zoho_client_secret ]]; then
  echo "secrets/zoho_client_secret is empty: put the client secret of Zoho's API console there"
fi
