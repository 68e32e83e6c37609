#!/bin/sh
# The switch: hands a release to the edge, and waits until the edge serves it.
#
#   SLIPWAY_ID       names the configuration; another configuration has another id
#   SLIPWAY_SITE     text of nginx.conf
#   SLIPWAY_MEMBERS  host:port of each web container, between blanks
#   SLIPWAY_EDGE     host:port of the edge's status listener
#   SLIPWAY_TIMEOUT  seconds to wait, 30 when not set
#
# Exits 0 when the edge serves the id. Otherwise it points the edge back at what was served before, says why, exits 1.

set -eu
umask 022

config=${SLIPWAY_CONFIG:-/etc/slipway}
id=$SLIPWAY_ID
limit=$(($(date +%s) + ${SLIPWAY_TIMEOUT:-30}))

get() {
    if command -v curl >/dev/null; then
        curl -fsS --max-time 2 "http://$SLIPWAY_EDGE/$1"
    else
        wget -q -O - -T 2 "http://$SLIPWAY_EDGE/$1"
    fi 2>/dev/null
}

# point ID: name the wanted configuration, in one step.
point() {
    echo "$1" >"$config/current.new"
    mv -f "$config/current.new" "$config/current"
}

fail() {
    if [ -n "$previous" ]; then
        point "$previous"
    else
        rm -f "$config/current"
    fi
    echo "switch: $1" >&2
    exit 1
}

# What the edge serves counts, not what somebody wanted before: a switch that was killed may have left anything there.
previous=$(get id) || previous=none
if [ ! -d "$config/$previous" ]; then
    previous=
    if [ -r "$config/current" ]; then
        read -r previous <"$config/current" || previous=
    fi
fi

mkdir -p "$config/$id"
printf '%s' "$SLIPWAY_SITE" >"$config/$id/nginx.conf"
# shellcheck disable=SC2086 # one line for each member
printf '%s\n' $SLIPWAY_MEMBERS >"$config/$id/members"
point "$id"

answer=
seen=0
while [ "$(date +%s)" -lt "$limit" ]; do
    if answer=$(get id); then
        if [ "$answer" = "$id" ]; then
            # Three times: for a moment, an old nginx worker may still take connections beside the new ones.
            seen=$((seen + 1))
            [ "$seen" -lt 3 ] || break
        elif rejected=$(get rejected) && [ "$(echo "$rejected" | head -n 1)" = "$id" ]; then
            fail "the edge refused the configuration $id: $(echo "$rejected" | tail -n +2)"
        fi
    fi
    sleep 0.2
done

if [ "$seen" -lt 3 ]; then
    if [ -z "$answer" ]; then
        fail "the edge does not answer at http://$SLIPWAY_EDGE/id"
    fi
    fail "the edge serves $answer, and did not take $id within ${SLIPWAY_TIMEOUT:-30} s"
fi

for old in "$config"/*/; do
    case $old in
    "$config/$id/" | "$config/${previous:-none}/") ;;
    *) rm -rf "$old" ;;
    esac
done
echo "switch: the edge serves $id:" "$SLIPWAY_MEMBERS"
