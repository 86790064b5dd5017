#!/bin/bash
# The official entrypoint's contract, as far as it is used: a new data folder is initialised once, then the server runs.
set -euo pipefail
case "${1:-}" in -*) set -- postgres "$@" ;; esac
if [[ $1 == postgres && ! -s $PGDATA/PG_VERSION ]]; then
  new=$PGDATA.new
  rm -rf "$new"; mkdir -p "$new"; chmod 700 "$new"
  initdb -D "$new" -U postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions \
    --pwfile=<(printf '%s' "$POSTGRES_PASSWORD")
  echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  pg_ctl -D "$new" -o "-c listen_addresses='' -c unix_socket_directories=/tmp" -w start
  for script in /docker-entrypoint-initdb.d/*.sh; do
    [[ -f $script ]] || continue
    PGHOST=/tmp POSTGRES_USER=postgres bash -e "$script"
  done
  pg_ctl -D "$new" -m fast -w stop
  rm -rf "$PGDATA"; mv "$new" "$PGDATA"
fi
exec "$1" -c listen_addresses='*' -c unix_socket_directories=/tmp "${@:2}"
