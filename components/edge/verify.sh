#!/bin/sh
# The switch of a cluster: waits until a release serves and nothing else does.
#
#   SLIPWAY_RELEASE   name whose addresses are the processes of the release that can serve
#   SLIPWAY_ALL       name whose addresses are all processes that get requests
#   SLIPWAY_REPLICAS  how many processes of the release there have to be at least
#   SLIPWAY_PORT      their port
#   SLIPWAY_EDGE      host:port of the edge
#   SLIPWAY_PATH      path of the health page
#   SLIPWAY_STATUS    statuses that are good: numbers and ranges, with commas between
#   SLIPWAY_HOST      the host name that the app answers to
#   SLIPWAY_TIMEOUT   seconds to wait
#
# Exits 0 when each process of the release has answered, no other gets requests, and the edge answers. Otherwise it says
# what is missing, and exits 1.

set -u

limit=$(($(date +%s) + SLIPWAY_TIMEOUT))

# status ADDRESS: ask the health page there, and give the status; what went wrong where there is none.
status() {
    if command -v curl >/dev/null; then
        curl -sS --max-time 5 -o /dev/null -w '%{http_code}' -H "Host: $SLIPWAY_HOST" -H "X-Forwarded-Proto: https" \
            "http://$1$SLIPWAY_PATH" 2>&1
    else
        wget -S -q -O /dev/null -T 5 --header "Host: $SLIPWAY_HOST" --header "X-Forwarded-Proto: https" \
            "http://$1$SLIPWAY_PATH" >/tmp/answer 2>&1
        sed -n 's|^ *HTTP/[0-9.]* \([1-5][0-9][0-9]\).*|\1|p' /tmp/answer | grep . || cat /tmp/answer
    fi
}

# get ADDRESS: ask the health page there. Says why not when there is no good answer.
get() {
    answer=$(status "$1")
    case $answer in
    [1-5][0-9][0-9]) ;;
    *)
        echo "$answer"
        return 1
        ;;
    esac
    for range in $(echo "$SLIPWAY_STATUS" | tr ',' ' '); do
        if [ "$answer" -ge "${range%-*}" ] && [ "$answer" -le "${range#*-}" ]; then
            return 0
        fi
    done
    echo "status $answer, where $SLIPWAY_STATUS is good"
    return 1
}

# addresses NAME: all of its addresses, one in a line; nothing where there is none.
addresses() {
    getent ahosts "$1" >/tmp/found 2>/dev/null
    case $? in
    0) cut -d ' ' -f 1 /tmp/found | sort -u ;;
    2) ;;                                                                                  # there is none
    *) nslookup "$1" 2>/dev/null | sed -n '/^Name:/,$s/^Address[^:]*: *//p' | sort -u ;; # not the GNU program
    esac
}

# missing: say what is missing; nothing where nothing is.
missing() {
    release=$(addresses "$SLIPWAY_RELEASE")
    # shellcheck disable=SC2086 # one word for each address
    set -- $release
    if [ $# -lt "$SLIPWAY_REPLICAS" ]; then
        echo "$# of $SLIPWAY_REPLICAS processes of the release can serve"
        return
    fi
    for address in "$@"; do
        case $address in
        *:*) address="[$address]" ;;
        esac
        if ! why=$(get "$address:$SLIPWAY_PORT"); then
            echo "$address does not answer: $why"
            return
        fi
    done
    if [ "$(addresses "$SLIPWAY_ALL")" != "$release" ]; then
        echo "processes of another release still get requests"
        return
    fi
    if ! why=$(get "$SLIPWAY_EDGE"); then
        echo "the edge does not answer at http://$SLIPWAY_EDGE: $why"
    fi
}

while :; do
    found=$(missing)
    if [ -z "$found" ]; then
        echo "switch: the release serves, and nothing else does"
        exit 0
    fi
    if [ "$found" != "${said:-}" ]; then
        echo "switch: $found"
        said=$found
    fi
    if [ "$(date +%s)" -ge "$limit" ]; then
        echo "switch: not so within $SLIPWAY_TIMEOUT s: $found" >&2
        exit 1
    fi
    sleep 0.5
done
