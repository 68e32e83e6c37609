"""What the edge serves and how: nginx' configuration from the settings, and the two programs around it.

This module owns the text of ``nginx.conf``, the edge's and the switch's commands and what they agree on: paths, ports
and names of variables. The programs are shell, in ``components/edge/``, since nginx' image holds nothing else.
It does not know which containers exist; their names come in as ``members``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from math import ceil
from pathlib import Path

from components.settings import Edge, Settings

HTTP_PORT = 8080
"""Where the edge serves, inside its container."""

STATUS_PORT = 8081
"""Where the edge tells what it serves: ``/id`` and ``/rejected``. Never published."""

CONFIG_DIR = "/etc/slipway"
"""Where edge (read-only) and switch mount the configuration volume."""

STATIC_DIR = "/srv/static"
"""Where the edge mounts the static files, read-only."""

MEDIA_DIR = "/srv/media"
"""Where the edge mounts the uploads, read-only."""

SWITCH_TIMEOUT_SECONDS = 30
"""How long the switch waits for the edge."""

_SCRIPTS = Path(__file__).parent / "edge"

_COMPRESSED = (
    "application/javascript application/json application/manifest+json application/wasm application/xml "
    "image/svg+xml text/css text/javascript text/plain text/xml"
)

_TEXT = "application/javascript application/json image/svg+xml text/css text/javascript text/plain text/xml"

_CONFIGURATION = """\
# The edge of {domain}. Written by Slipway; edge.sh adds upstream.conf and status.conf.
worker_processes {workers};
worker_rlimit_nofile 4096;
# Old workers may finish what they began before a reload.
worker_shutdown_timeout {shutdown}s;
pid /tmp/edge/nginx.pid;
error_log stderr warn;

events {{
    worker_connections 1024;
}}

http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    server_tokens off;
    sendfile on;
    tcp_nopush on;

    log_format slipway '$remote_addr "$request" $status $body_bytes_sent ${{request_time}}s '
        '"$http_referer" "$http_user_agent" $upstream_addr $upstream_response_time $request_id';
    access_log /dev/stdout slipway;

    # The root of the container is read-only.
    client_body_temp_path /tmp/edge/body;
    proxy_temp_path /tmp/edge/proxy;
    fastcgi_temp_path /tmp/edge/fastcgi;
    uwsgi_temp_path /tmp/edge/uwsgi;
    scgi_temp_path /tmp/edge/scgi;

    client_max_body_size {body}m;
    client_header_timeout 15s;
    client_body_timeout 30s;
    send_timeout 30s;
    keepalive_timeout 65s;

    gzip on;
    gzip_comp_level 5;
    gzip_min_length 1024;
    gzip_proxied any;
    gzip_vary on;
    gzip_types {compressed};

{forwarded}
    # Names that Django's manifest storage made carry 12 digits of a hash: what is behind them never changes.
    map $uri $static_caching {{
        default "public, max-age=60";
        "~\\.[0-9a-f]{{12}}(\\.|$)" "public, max-age=31536000, immutable";
    }}

    map $http_content_length $large {{
        default 0;
        "~^[0-9]{{8,}}$" 1;
    }}

    # Uploads that a browser would run as part of the site are downloaded instead.
    map $uri $media_disposition {{
        default "";
        "~*\\.(x?html?|xhtml|shtml|mht|mhtml|svgz?|xml|xslt?)$" attachment;
    }}

    include upstream.conf;
    include status.conf;

    server {{
        listen {port} default_server;
        server_name _;

        # Headers that the app trusts are overwritten, whatever the visitor sent.
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $forwarded_proto;
        proxy_set_header X-Forwarded-Port "";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Request-ID $request_id;
        proxy_set_header Forwarded "";
        proxy_set_header Proxy "";
        proxy_redirect off;

        proxy_connect_timeout 2s;
        proxy_send_timeout {timeout}s;
        proxy_read_timeout {timeout}s;
        # Another container is asked when one cannot be reached. A request that may have been done is not sent twice:
        # POST and PATCH never once sent, others not after these 5 s.
        proxy_next_upstream error timeout;
        proxy_next_upstream_tries 3;
        proxy_next_upstream_timeout 5s;

        # A slow visitor does not hold a thread of the app. What is kept for one lies in memory, as /tmp does, so
        # bodies of 10 MB and more are passed on as they come.
        proxy_buffer_size 8k;
        proxy_buffers 8 16k;
        proxy_max_temp_file_size 4m;

        location / {{
            error_page 418 = @large;
            if ($large) {{
                return 418;
            }}
            proxy_pass http://app;
        }}

        location @large {{
            proxy_request_buffering off;
            proxy_pass http://app;
        }}

        location /static/ {{
            alias {static}/;
            charset utf-8;
            charset_types {text};
            gzip_static on;
            add_header Cache-Control $static_caching;
            add_header X-Content-Type-Options nosniff always;
        }}

        location /media/ {{
            alias {media}/;
            add_header Content-Disposition $media_disposition;
            add_header X-Content-Type-Options nosniff always;
        }}
    }}
}}
"""

_DIRECT = """\
    # Visitors connect to this port, so what they say about themselves is not believed.
    map $scheme $forwarded_proto {
        default $scheme;
    }
"""

_BEHIND_A_PROXY = """\
    # The port is published on a loopback address: whoever connects runs on this host, such as a proxy that ends TLS.
    # What it says about the visitor is believed.
    set_real_ip_from 0.0.0.0/0;
    set_real_ip_from ::/0;
    real_ip_header X-Forwarded-For;
    map $http_x_forwarded_proto $forwarded_proto {
        default $scheme;
        http http;
        https https;
    }
"""


def site(settings: Settings) -> str:
    """Give the text of ``nginx.conf``. Another text is a reload of nginx, never another container.

    ``edge.max_body_mb`` is the largest request in MiB; ``edge.timeout_seconds`` is how long the app may be silent, and
    (5 s more) how long requests from before a reload live. There is a worker for each CPU of the edge's limit.
    """
    edge = settings.edge
    return _CONFIGURATION.format(
        domain=settings.domain,
        workers=max(1, ceil(edge.resources.cpus)),
        shutdown=edge.timeout_seconds + 5,
        body=edge.max_body_mb,
        timeout=edge.timeout_seconds,
        forwarded=_BEHIND_A_PROXY if _only_this_host(edge) else _DIRECT,
        compressed=_COMPRESSED,
        text=_TEXT,
        port=HTTP_PORT,
        static=STATIC_DIR,
        media=MEDIA_DIR,
    )


def _only_this_host(edge: Edge) -> bool:
    return ip_address(edge.address).is_loopback


def edge_command() -> list[str]:
    """Give the command of the edge's container. It is the same for every stack and release."""
    return ["sh", "-c", (_SCRIPTS / "edge.sh").read_text(encoding="utf-8")]


def edge_health_command() -> list[str]:
    """Give the command that exits 0 when nginx runs, with or without a release to serve."""
    url = f"http://127.0.0.1:{STATUS_PORT}/id"
    return ["sh", "-c", f"curl -fsS -m 3 {url} || wget -q -O - -T 3 {url}"]


def switch_command() -> list[str]:
    """Give the command of the switch's container. What it switches to is in ``switch_environment()``."""
    return ["sh", "-c", (_SCRIPTS / "switch.sh").read_text(encoding="utf-8")]


def switch_environment(site_text: str, members: Sequence[str], edge_host: str) -> Mapping[str, str]:
    """Give the environment of the switch: a configuration, its members and where the edge answers. Nothing secret.

    Args:
        site_text: what ``site()`` gave.
        members: ``host:port`` of each web container, as a container on the edge's network reaches it.
        edge_host: name of the edge's container on that network.
    """
    return {
        "SLIPWAY_ID": configuration_id(site_text, members),
        "SLIPWAY_SITE": site_text,
        "SLIPWAY_MEMBERS": " ".join(members),
        "SLIPWAY_EDGE": f"{edge_host}:{STATUS_PORT}",
        "SLIPWAY_TIMEOUT": str(SWITCH_TIMEOUT_SECONDS),
    }


def configuration_id(site_text: str, members: Sequence[str]) -> str:
    """Name a configuration: 12 hexadecimal digits of a hash over all that it says. The order of members is nothing."""
    return hashlib.sha256("\n".join([site_text, *sorted(members)]).encode()).hexdigest()[:12]
