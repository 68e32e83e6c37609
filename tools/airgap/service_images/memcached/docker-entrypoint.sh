#!/bin/sh
# The entrypoint of the memcached image: options alone mean the program.
set -e

case "${1-}" in
-*) set -- memcached "$@" ;;
esac

exec "$@"
