#!/bin/sh
# The entrypoint of the nginx image: before nginx, run or source what lies in /docker-entrypoint.d, in order.
set -e

log() {
    [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for script in $(find /docker-entrypoint.d/ -follow -type f -print 2>/dev/null | sort -V); do
        case $script in
        *.envsh | *.sh)
            if [ ! -x "$script" ]; then
                log "Ignoring $script, not executable"
            elif [ "${script%.envsh}" != "$script" ]; then
                log "Sourcing $script"
                . "$script"
            else
                log "Launching $script"
                "$script"
            fi
            ;;
        *) log "Ignoring $script" ;;
        esac
    done
    log "Configuration complete; ready for start up"
fi

exec "$@"
