"""The gateway of a host: one nginx that hands on what is asked for a host name to the stack that has it. Pure.

This module owns its configuration and what it agrees on with the edges behind it: the network, and the names on it. A
stack joins and leaves without the gateway being told: a host name is looked up on the network when it is asked for.
What a stack does with a request is its own edge's affair (``components/nginx.py``).
"""

from ipaddress import ip_address
from math import ceil

from components import nginx
from components.model import Gateway

LABEL = "slipway.gateway"
"""The label of what belongs to a gateway; its value is the name of it."""

PORT = nginx.HTTP_PORT
"""Where it serves, inside its container."""

SITE = "SLIPWAY_SITE"
"""The variable that holds its configuration."""

_ZONE = "slipway.internal"
"""Ends the names on the network, so that a host name that no stack has is not looked up in the world. ``internal`` is
never delegated there."""

_CONFIGURATION = """\
# The gateway of what is below {domain}. Written by Slipway.
worker_processes {workers};
worker_rlimit_nofile 4096;
pid /tmp/gateway/nginx.pid;
error_log stderr crit;

events {{
    worker_connections 1024;
}}

http {{
    default_type text/plain;
    server_tokens off;

    log_format slipway '$remote_addr $host "$request" $status $body_bytes_sent ${{request_time}}s $upstream_addr';
    access_log /dev/stdout slipway;

    # The root of the container is read-only.
    client_body_temp_path /tmp/gateway/body;
    proxy_temp_path /tmp/gateway/proxy;
    fastcgi_temp_path /tmp/gateway/fastcgi;
    uwsgi_temp_path /tmp/gateway/uwsgi;
    scgi_temp_path /tmp/gateway/scgi;

    # The limits of a request are those of each stack: nothing is kept here.
    client_max_body_size 0;
    client_header_timeout 15s;
    keepalive_timeout 65s;
    server_names_hash_bucket_size 128;

{forwarded}
    map $http_upgrade $gateway_connection {{
        default upgrade;
        "" close;
    }}

    # Docker knows who is on the network. A stack that has just come is found after a second.
    resolver 127.0.0.11 valid=1s ipv6=off;
    resolver_timeout 3s;

    server {{
        listen {port} default_server;
        server_name _;
        add_header X-Robots-Tag "noindex, nofollow" always;
        location / {{
            return 404 "Nothing is served here. Names of environments end in .{domain}\\n";
        }}
    }}

    server {{
        listen {port};
        server_name "~^[a-z0-9.-]+\\.{pattern}$";

        proxy_http_version 1.1;
        proxy_set_header Connection $gateway_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $forwarded_proto;
        proxy_set_header X-Forwarded-Port "";
        proxy_set_header Forwarded "";
        proxy_set_header Proxy "";
        proxy_redirect off;
        proxy_connect_timeout 2s;
        proxy_send_timeout 3600s;
        proxy_read_timeout 3600s;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_buffer_size 8k;

        location / {{
            error_page 502 504 = @nobody;
            proxy_pass http://$host.{zone}:{edge};
        }}

        # Without an address, there is no stack of this name; with one, it does not answer.
        location @nobody {{
            add_header X-Robots-Tag "noindex, nofollow" always;
            if ($upstream_addr ~ "^[0-9.]+:[0-9]+$") {{
                return 502 "The environment $host does not answer. It may be starting.\\n";
            }}
            return 404 "There is no environment $host. It may have expired.\\n";
        }}
    }}

    server {{
        listen {status};
        access_log off;
        location = /id {{ return 200 "gateway\\n"; }}
        location / {{ return 404; }}
    }}
}}
"""

_COMMAND = """\
umask 022
mkdir -p /tmp/gateway && printf %s "${variable}" >/tmp/gateway/nginx.conf || exit 1
exec nginx -e stderr -c /tmp/gateway/nginx.conf -g 'daemon off;'
"""


def network(name: str) -> str:
    """Name the network that a gateway shares with the edges behind it."""
    return f"slipway-gateway-{name}"


def container(name: str) -> str:
    """Name the container of a gateway."""
    return f"slipway-gateway-{name}"


def labels(name: str) -> dict[str, str]:
    """Give the labels of what belongs to a gateway."""
    return {LABEL: name}


def alias(host: str) -> str:
    """Name the edge of a host name on that network."""
    return f"{host}.{_ZONE}"


def site(gateway: Gateway, domain: str) -> str:
    """Give the text of its ``nginx.conf``: for every name below ``domain``, whichever stacks there are."""
    return _CONFIGURATION.format(
        domain=domain,
        pattern=domain.replace(".", "\\."),
        workers=max(1, ceil(gateway.resources.cpus)),
        forwarded=nginx.forwarded(proxied=ip_address(gateway.address).is_loopback),
        port=PORT,
        edge=nginx.HTTP_PORT,
        status=nginx.STATUS_PORT,
        zone=_ZONE,
    )


def command() -> list[str]:
    """Give the command of its container. It is the same for every gateway."""
    return ["sh", "-c", _COMMAND.format(variable=SITE)]
