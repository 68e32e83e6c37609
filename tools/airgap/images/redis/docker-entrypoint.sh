#!/bin/sh
# The entrypoint of the redis image: options and *.conf alone mean the server, and root steps down to redis.
set -e

case "${1-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
    case "$1" in
    redis-server | redis-sentinel)
        # Without the capabilities to step down (cap-drop ALL) it stays what it is.
        if setpriv --reuid redis --regid redis --clear-groups true 2>/dev/null; then
            find . \! -user redis -exec chown redis '{}' +
            exec setpriv --reuid redis --regid redis --clear-groups "$0" "$@"
        fi
        ;;
    esac
fi

# Dumps and append-only files are nobody else's business.
if [ "$(umask)" = 0022 ]; then
    umask 0077
fi

exec "$@"
