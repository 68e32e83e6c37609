#!/usr/bin/env bash
# The entrypoint of the rabbitmq image: root steps down, and variables that name files are refused, as there.
set -eu

if [[ "$1" == rabbitmq* ]] && [ "$(id -u)" = 0 ]; then
    if [ "$1" = rabbitmq-server ]; then
        find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq '{}' +
    fi
    exec gosu rabbitmq "${BASH_SOURCE[0]}" "$@"
fi

deprecated=
for name in RABBITMQ_DEFAULT_PASS_FILE RABBITMQ_DEFAULT_USER_FILE RABBITMQ_VM_MEMORY_HIGH_WATERMARK; do
    if [ -n "${!name:-}" ]; then
        echo >&2 "error: $name is set but deprecated"
        deprecated=1
    fi
done
if [ -n "$deprecated" ]; then
    echo >&2 'error: deprecated environment variables detected'
    exit 1
fi

if [ -z "${RABBITMQ_USE_LONGNAME:-}" ] && [ "$(hostname)" != "$(hostname -s)" ]; then
    export RABBITMQ_USE_LONGNAME=true
fi

exec "$@"
