#!/bin/sh
# The edge: runs nginx, and follows what the switch writes into the configuration volume.
#
#   $config/current          the id of the configuration that is wanted
#   $config/<id>/nginx.conf  nginx' configuration, with `include upstream.conf` and `include status.conf`
#   $config/<id>/members     host:port of each web container, one in a line; of others that get requests
#                            UPSTREAM=host:port, where nginx.conf names the upstream
#
# A new id is taken when nginx accepts it, and refused otherwise: what served before goes on serving.
# nginx resolves names once, at its start, so the addresses of the members are looked up here, and again every few
# seconds, since a web container that was started again may have another one.
# On port 8081, /id answers with the id that is served and /rejected with the refused one and the reason.

set -u
umask 022

config=${SLIPWAY_CONFIG:-/etc/slipway}
run=${SLIPWAY_RUN:-/tmp/edge}

active=none # the id that nginx serves
servers=    # the upstreams that nginx knows, with their addresses
refused=    # the id that nginx did not accept

say() {
    echo "edge: $*" >&2
}

# server_lines: the lines of nginx' upstream block, from those members that have an address.
server_lines() {
    while read -r member; do
        # A name that is gone is asked for outside of Docker too, which takes long where there is no way out.
        # shellcheck disable=SC2046 # the answer is meant to be split: the address, then the names
        set -- $(timeout 2 getent hosts "${member%:*}" </dev/null)
        case ${1:-} in
        '') ;;
        *:*) echo "server [$1]:${member##*:} max_fails=2 fail_timeout=2s;" ;;
        *) echo "server $1:${member##*:} max_fails=2 fail_timeout=2s;" ;;
        esac
    done
}

# upstreams FILE: nginx' upstream blocks from the members. Nothing when no web container has an address.
upstreams() {
    sed '/=/!s/^/app=/' "$1" >"$run/members"
    for upstream in app $(sed 's/=.*//' "$run/members" | sort -u | grep -vx app); do
        lines=$(sed -n "s/^$upstream=//p" "$run/members" | server_lines)
        if [ -z "$lines" ]; then
            [ "$upstream" != app ] || return
            # Those who ask for it get a 502 until there is an address; nobody else notices.
            lines="server 127.0.0.1:1 down;"
        fi
        cat <<END
upstream $upstream {
    zone $upstream 128k;
$lines
    keepalive 32;
    keepalive_timeout 60s;
}
END
    done
}

# status ID: the listener that tells what is served, as part of the configuration: only nginx workers
# that have the configuration can name it.
status() {
    cat <<END
server {
    listen 8081;
    access_log off;
    log_not_found off;
    default_type text/plain;
    location = /id { return 200 "$1\\n"; }
    location = /rejected { root $run/status; }
    location / { return 404; }
}
END
}

# render ID UPSTREAMS: write the configuration that is to be tried.
render() {
    rm -rf "$run/next"
    mkdir "$run/next" &&
        cat "$config/$1/nginx.conf" >"$run/next/nginx.conf" &&
        echo "$2" >"$run/next/upstream.conf" &&
        status "$1" >"$run/next/status.conf"
}

# What is served before the first release: nothing.
render_empty() {
    cat >"$run/active/nginx.conf" <<END
worker_processes 1;
pid $run/nginx.pid;
error_log stderr notice;
events {}
http {
    access_log off;
    client_body_temp_path $run/body;
    proxy_temp_path $run/proxy;
    fastcgi_temp_path $run/fastcgi;
    uwsgi_temp_path $run/uwsgi;
    scgi_temp_path $run/scgi;
    include status.conf;
    server {
        listen 8080 default_server;
        return 503;
    }
}
END
    status none >"$run/active/status.conf"
}

reject() {
    refused=$1
    { echo "$1" && cat; } >"$run/status/rejected.new"
    mv "$run/status/rejected.new" "$run/status/rejected"
    say "refused $1:" && cat "$run/status/rejected" >&2
}

# quote: the lines that nginx has complained about; whoever reads its words has no other way to see them.
quote() {
    sed -n 's|.* in .*/nginx.conf:\([0-9][0-9]*\)$|\1|p' "$run/test.log" | sort -un | head -n 3 | while read -r line; do
        echo "line $line: $(sed -n "${line}s/^ *//p" "$run/next/nginx.conf")"
    done
}

# take ID: make ID's configuration the active one. Fails when it cannot be had now, or never.
take() {
    found=$(upstreams "$config/$1/members")
    if [ -z "$found" ]; then
        # Not a refusal: after a restart of the host, the web containers may come later.
        say "none of the members of $1 has an address yet"
        return 1
    fi
    render "$1" "$found" || return 1
    if ! nginx -t -q -e stderr -c "$run/next/nginx.conf" 2>"$run/test.log"; then
        {
            head -c 2000 "$run/test.log"
            quote
        } | reject "$1"
        return 1
    fi
    # Nobody reads these files until nginx is told to.
    mv "$run/next/nginx.conf" "$run/next/upstream.conf" "$run/next/status.conf" "$run/active/"
    active=$1
    servers=$found
}

reload() {
    kill -HUP "$nginx"
    say "serving $active:" && echo "$servers" >&2
}

pause() {
    sleep "$1" &
    wait $!
}

# shellcheck disable=SC2317 # called by the trap
stop() {
    trap '' TERM QUIT INT
    say "finishing requests"
    kill -QUIT "$nginx" 2>/dev/null
    wait "$nginx"
    exit 0
}

rm -rf "$run"
mkdir -p "$run/active" "$run/status" || exit 1
render_empty
wanted=
if [ -r "$config/current" ] && read -r wanted <"$config/current"; then
    take "$wanted" && say "serving $active:" && echo "$servers" >&2
fi

nginx -e stderr -c "$run/active/nginx.conf" -g 'daemon off;' &
nginx=$!
trap stop TERM QUIT INT

round=0
while kill -0 "$nginx" 2>/dev/null; do
    pause 0.5
    [ -s "$run/nginx.pid" ] || continue # nginx does not yet listen to signals
    round=$(((round + 1) % 6))
    wanted=
    if [ -r "$config/current" ]; then
        read -r wanted <"$config/current"
    fi
    case $wanted in
    '' | "$active")
        if [ -n "$refused" ]; then
            refused=
            rm -f "$run/status/rejected"
        fi
        if [ -n "$wanted" ] && [ "$round" = 0 ]; then
            found=$(upstreams "$config/$wanted/members")
            if [ -n "$found" ] && [ "$found" != "$servers" ] && take "$wanted"; then
                reload
            fi
        fi
        ;;
    "$refused") ;;
    *)
        if take "$wanted"; then
            refused=
            rm -f "$run/status/rejected"
            reload
        fi
        ;;
    esac
done
wait "$nginx"
say "nginx has ended with $?"
exit 1
