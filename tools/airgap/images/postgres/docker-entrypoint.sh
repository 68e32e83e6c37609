#!/usr/bin/env bash
# The entrypoint of the postgres image: on an empty data directory it makes the cluster, the user, the database and
# runs /docker-entrypoint-initdb.d; then the server takes its place. Root steps down to postgres.
set -Eeo pipefail

fail() {
    printf 'Error: %s\n' "$@" >&2
    exit 1
}

# from_file NAME [DEFAULT]: the variable, or the content of the file that NAME_FILE names
from_file() {
    local name=$1 file="${1}_FILE" value=${2:-}
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        fail "both $name and $file are set (but are exclusive)"
    elif [ -n "${!name:-}" ]; then
        value=${!name}
    elif [ -n "${!file:-}" ]; then
        value=$(<"${!file}")
    fi
    export "$name=$value"
    unset "$file"
}

directories() {
    mkdir -p "$PGDATA"
    # Not ours to change on some volumes; the server says so itself if it matters.
    chmod 00700 "$PGDATA" || :
    mkdir -p /var/run/postgresql || :
    chmod 03775 /var/run/postgresql || :
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
        mkdir -p "$POSTGRES_INITDB_WALDIR"
        chmod 700 "$POSTGRES_INITDB_WALDIR"
    fi
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} \
            \! -user postgres -exec chown postgres '{}' +
    fi
}

# initdb wants its user to have a name: with --user, any number may come.
with_a_name() {
    local uid gid directory
    uid=$(id -u) gid=$(id -g)
    if getent passwd "$uid" >/dev/null; then
        "$@"
        return
    fi
    directory=$(mktemp -d)
    printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$uid" "$gid" "$PGDATA" >"$directory/passwd"
    printf 'postgres:x:%s:\n' "$gid" >"$directory/group"
    LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so -print -quit) \
        NSS_WRAPPER_PASSWD=$directory/passwd NSS_WRAPPER_GROUP=$directory/group "$@"
    rm -r "$directory"
}

sql() {
    PGHOST= PGHOSTADDR= psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc \
        ${POSTGRES_DB:+--dbname "$POSTGRES_DB"} "$@"
}
# The name that scripts written for the official image know it under.
docker_process_sql() { sql "$@"; }

init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh)
            if [ -x "$file" ]; then
                printf '%s: running %s\n' "$0" "$file"
                "$file"
            else
                printf '%s: sourcing %s\n' "$0" "$file"
                . "$file"
            fi
            ;;
        *.sql) printf '%s: running %s\n' "$0" "$file" && sql -f "$file" ;;
        *.sql.gz) printf '%s: running %s\n' "$0" "$file" && gunzip -c "$file" | sql ;;
        *.sql.xz) printf '%s: running %s\n' "$0" "$file" && xzcat "$file" | sql ;;
        *.sql.zst) printf '%s: running %s\n' "$0" "$file" && zstd -dc "$file" | sql ;;
        '/docker-entrypoint-initdb.d/*') ;;
        *) printf '%s: ignoring %s\n' "$0" "$file" ;;
        esac
    done
}

initialise() {
    local options
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        fail 'Database is uninitialized and superuser password is not specified.' \
            'Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE to a non-empty value.'
    fi
    # Unreadable scripts are found before there is half a cluster.
    ls /docker-entrypoint-initdb.d/ >/dev/null

    # POSTGRES_INITDB_ARGS is a piece of shell: it may quote.
    eval "options=($POSTGRES_INITDB_ARGS)"
    with_a_name initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        ${POSTGRES_INITDB_WALDIR:+--waldir "$POSTGRES_INITDB_WALDIR"} "${options[@]}"
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "${@:2}")}" \
        >>"$PGDATA/pg_hba.conf"

    # A server that nobody but us reaches, until everything is there.
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
    set -- "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}"
    NOTIFY_SOCKET= PGUSER=${PGUSER:-$POSTGRES_USER} pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
    if [ "$(POSTGRES_DB=postgres sql --set db="$POSTGRES_DB" --tuples-only --no-align \
        <<<"SELECT count(*) FROM pg_database WHERE datname = :'db'")" = 0 ]; then
        POSTGRES_DB=postgres sql --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db"'
    fi
    init_files
    PGUSER=${PGUSER:-postgres} pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

wants_help() {
    local argument
    for argument; do
        case $argument in
        -'?' | --help | --describe-config | -V | --version) return 0 ;;
        esac
    done
    return 1
}

main() {
    case ${1:-} in
    -*) set -- postgres "$@" ;;
    esac
    if [ "${1:-}" = postgres ] && ! wants_help "$@"; then
        from_file POSTGRES_PASSWORD
        from_file POSTGRES_USER postgres
        from_file POSTGRES_DB "$POSTGRES_USER"
        from_file POSTGRES_INITDB_ARGS
        : "${POSTGRES_HOST_AUTH_METHOD:=}"
        directories
        if [ "$(id -u)" = 0 ]; then
            exec gosu postgres "${BASH_SOURCE[0]}" "$@"
        fi
        if [ -s "$PGDATA/PG_VERSION" ]; then
            printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
        else
            initialise "$@"
        fi
    fi
    exec "$@"
}

main "$@"
