"""What the edge serves and how: nginx' configuration from the settings, and the programs around it.

This module owns the frame of ``nginx.conf``, the edge's and the switch's commands and what they agree on: paths, ports
and names of variables. What follows from a project's own addresses is in ``edge_rules.py``. The programs are shell, in ``components/edge/``, since nginx' image holds nothing else.
It does not know which web processes exist; their names come in as ``members``, or one name stands for all of them.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from types import MappingProxyType

from pulumi import Input

from components import edge_rules, health, routes
from components.edge_rules import CLOSED, KEPT
from components.health import HealthCheck
from components.model import Expose, Settings, Target

HTTP_PORT = 8080
"""Where the edge serves, inside its container."""

STATUS_PORT = 8081
"""Where the edge tells what it serves: ``/id`` and ``/rejected``. Never published."""

CONFIG_DIR = "/etc/slipway"
"""Where edge (read-only) and switch mount the configuration."""

RUN_DIR = "/tmp/edge"  # noqa: S108 - a path in a container
"""Where nginx keeps what it needs while it runs."""

SWITCH_TIMEOUT_SECONDS = 30
"""How long the switch waits for the edge."""

VERIFY_LEAST_SECONDS, VERIFY_MOST_SECONDS = 60, 180
"""How long the switch of a cluster waits: a name's new addresses are known everywhere after some seconds."""

_SECONDS_FOR_EACH = 5

_SCRIPTS = Path(__file__).parent / "edge"

_COMPRESSED = (
    "application/javascript application/json application/manifest+json application/wasm application/xml "
    "image/svg+xml text/css text/javascript text/plain text/xml"
)

_CONFIGURATION = """\
# The edge of {domain}. Written by Slipway; upstream.conf and status.conf come from elsewhere.
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

{http}    include upstream.conf;
    include status.conf;

    server {{
        listen {port} default_server;
        server_name _;
        # Where visitors come from, this is another port and perhaps another scheme.
        absolute_redirect off;

        # Headers that the app trusts are overwritten, whatever the visitor sent.
        proxy_http_version 1.1;
        proxy_set_header Connection {connection};
{proxy}        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $forwarded_proto;
        proxy_set_header X-Forwarded-Port "";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Request-ID $request_id;
        proxy_set_header Forwarded "";
        proxy_set_header Proxy "";
        proxy_redirect off;
{headers}{access}
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
{locations}    }}
}}
"""

_CONNECTION = "proxy_set_header Connection {otherwise};"
"""What the app is told where there are no websockets."""

# One address stands for all web processes, and which one gets a connection is decided when that is made. So none is
# kept: it would outlive the process behind it. The app closes each, so that the ports of the edge do not run out.
# Named three times, the address is asked again where a connection was refused, as by a process that has just gone.
_ONE_NAME = """\
upstream {upstream} {{
    zone {upstream} 128k;
    server {address} max_fails=0;
    server {address} max_fails=0;
    server {address} max_fails=0;
}}
"""

_STATUS = """\
server {{
    listen {port};
    access_log off;
    default_type text/plain;
    location = /id {{ return 200 "{id}\\n"; }}
    location / {{ return 404; }}
}}
"""

_DIRECT = """\
    # Visitors connect to this port, so what they say about themselves is not believed.
    map $scheme $forwarded_proto {
        default $scheme;
    }
"""

_BEHIND_A_PROXY = """\
    # Only a proxy connects: the port is published on a loopback address, or not outside of the host or the cluster.
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
        forwarded=forwarded(proxied=_PROXIED[settings.target](settings)),
        connection=edge_rules.connection(edge),
        proxy=edge_rules.proxy(edge),
        headers=edge_rules.headers(edge),
        access=edge_rules.access(edge),
        compressed=_COMPRESSED,
        port=HTTP_PORT,
        http=edge_rules.http(settings, HTTP_PORT),
        locations=edge_rules.locations(settings),
    )


def forwarded(*, proxied: bool) -> str:
    """Give what is believed of what a visitor says about himself: what a proxy has said, where only one connects."""
    return _BEHIND_A_PROXY if proxied else _DIRECT


def _on_this_host_alone(settings: Settings) -> bool:
    return settings.edge.gateway is not None or ip_address(settings.edge.address).is_loopback


def _inside_the_cluster_alone(settings: Settings) -> bool:
    return settings.kubernetes.expose in {Expose.NONE, Expose.INGRESS, Expose.GATEWAY}


_PROXIED: Mapping[Target, Callable[[Settings], bool]] = {
    Target.DOCKER: _on_this_host_alone,
    Target.KUBERNETES: _inside_the_cluster_alone,
}
"""Whether visitors can connect to the edge through a proxy alone."""


def standalone(site_text: str, upstream: str, others: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, str]:
    """Give every file of an edge that no switch writes to: name and text. Another text is another process.

    Args:
        site_text: what ``site()`` gave.
        upstream: ``host:port`` of the one address that stands for all web processes.
        others: the same of each other upstream, by its name.
    """
    text = site_text
    for said in (_CONNECTION, edge_rules.CONNECTION):
        text = text.replace(said.format(otherwise=KEPT), said.format(otherwise=CLOSED))
    return {
        "nginx.conf": text,
        "upstream.conf": "".join(
            _ONE_NAME.format(upstream=name, address=address)
            for name, address in {routes.APP: upstream, **others}.items()
        ),
        "status.conf": _STATUS.format(
            port=STATUS_PORT,
            id=configuration_id(text, [upstream, *(routes.member(name, address) for name, address in others.items())]),
        ),
    }


def standalone_command() -> list[str]:
    """Give the command of such an edge: nginx itself, without the scripts of its image, which write to the root."""
    return ["nginx", "-e", "stderr", "-c", f"{CONFIG_DIR}/nginx.conf", "-g", "daemon off;"]


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
        members: ``host:port`` of each web container, as a container on the edge's network reaches it; of another
            upstream with its name before it (``routes.member``).
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


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the switch of a cluster makes sure of."""

    replicas: int
    """How many processes of the release there have to be at least."""
    release: Input[str]
    """The name whose addresses are the processes of the release that can serve."""
    everything: Input[str]
    """The name whose addresses are all processes that get requests."""
    port: int
    """Where they listen."""
    edge: Input[str]
    """``host:port`` of the edge."""
    check: HealthCheck
    """What each of them answers."""


def verify_command() -> list[str]:
    """Give the command of the switch of a cluster, which changes nothing: it waits until a release serves."""
    return ["sh", "-c", (_SCRIPTS / "verify.sh").read_text(encoding="utf-8")]


def verify_seconds(replicas: int) -> int:
    """Give how long it waits, in seconds."""
    return min(VERIFY_MOST_SECONDS, VERIFY_LEAST_SECONDS + _SECONDS_FOR_EACH * replicas)


def verify_environment(wanted: Verification) -> Mapping[str, Input[str]]:
    """Give its environment. Nothing secret."""
    return {
        "SLIPWAY_RELEASE": wanted.release,
        "SLIPWAY_ALL": wanted.everything,
        "SLIPWAY_REPLICAS": str(wanted.replicas),
        "SLIPWAY_PORT": str(wanted.port),
        "SLIPWAY_EDGE": wanted.edge,
        "SLIPWAY_PATH": wanted.check.path,
        "SLIPWAY_HOST": wanted.check.host or "",
        "SLIPWAY_STATUS": health.through_the_edge(wanted.check),
        "SLIPWAY_TIMEOUT": str(verify_seconds(wanted.replicas)),
    }
