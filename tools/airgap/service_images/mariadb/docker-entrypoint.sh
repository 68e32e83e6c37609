#!/usr/bin/env bash
# The entrypoint of the mariadb image: on an empty data directory it makes the system tables, the root password, the
# database and the user, and runs /docker-entrypoint-initdb.d; then the server takes its place.
set -eo pipefail

socket=/run/mysqld/mysqld.sock

fail() {
    printf '[ERROR] [Entrypoint]: %s\n' "$@" >&2
    exit 1
}

# from_file NAME: the variable, or the content of the file that NAME_FILE names
from_file() {
    local name=$1 file="${1}_FILE"
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        fail "Both $name and $file are set (but are exclusive)"
    elif [ -n "${!file:-}" ]; then
        export "$name=$(<"${!file}")"
    fi
    unset "$file"
}

# quoted TEXT: as SQL writes it
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\\\'}"
}

initialise() {
    if [ -z "$MARIADB_ROOT_PASSWORD$MARIADB_ALLOW_EMPTY_ROOT_PASSWORD$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
        fail 'Database is uninitialized and password option is not specified' \
            'You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD'
    fi
    if [ -n "$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
        MARIADB_ROOT_PASSWORD=$(head -c 24 /dev/urandom | base64)
    fi
    mariadb-install-db --datadir=/var/lib/mysql --auth-root-authentication-method=normal --skip-test-db >/dev/null
    # A server that nobody but us reaches, until everything is there.
    "$@" --skip-networking --socket="$socket" --wsrep_on=OFF &
    local server=$! tries
    for ((tries = 0; tries < 300; tries++)); do
        mariadb --protocol=socket --socket="$socket" -uroot -e 'SELECT 1' >/dev/null 2>&1 && break
        kill -0 "$server" 2>/dev/null || fail 'Unable to start server.'
        sleep 0.2
    done
    {
        if [ -n "$MARIADB_DATABASE" ]; then
            echo "CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;"
        fi
        if [ -n "$MARIADB_USER" ] && [ -n "$MARIADB_PASSWORD" ]; then
            echo "CREATE USER $(quoted "$MARIADB_USER")@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");"
            [ -z "$MARIADB_DATABASE" ] ||
                echo "GRANT ALL ON \`${MARIADB_DATABASE//_/\\_}\`.* TO $(quoted "$MARIADB_USER")@'%';"
        fi
        if [ -n "$MARIADB_ROOT_PASSWORD" ]; then
            echo "CREATE USER 'root'@'${MARIADB_ROOT_HOST:-%}' IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
            echo "GRANT ALL ON *.* TO 'root'@'${MARIADB_ROOT_HOST:-%}' WITH GRANT OPTION;"
            echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MARIADB_ROOT_PASSWORD");"
        fi
    } | mariadb --protocol=socket --socket="$socket" -uroot
    local file
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -e "$file" ] || MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --protocol=socket --socket="$socket" -uroot \
            ${MARIADB_DATABASE:+"$MARIADB_DATABASE"} <"$file"
    done
    kill "$server"
    wait "$server"
    echo '[Note] [Entrypoint]: MariaDB init process done. Ready for start up.'
}

case "${1-}" in
-*) set -- mariadbd "$@" ;;
esac

if [ "$1" = mariadbd ] || [ "$1" = mysqld ]; then
    if [ "$(id -u)" = 0 ]; then
        find /var/lib/mysql /run/mysqld \! -user mysql -exec chown mysql '{}' +
        exec gosu mysql "${BASH_SOURCE[0]}" "$@"
    fi
    for name in MARIADB_ROOT_PASSWORD MARIADB_DATABASE MARIADB_USER MARIADB_PASSWORD; do
        from_file "$name"
    done
    if [ ! -d /var/lib/mysql/mysql ]; then
        initialise "$@"
    fi
    unset MARIADB_ROOT_PASSWORD MARIADB_PASSWORD
fi

exec "$@"
