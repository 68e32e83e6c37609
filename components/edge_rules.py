"""What nginx does with the addresses of a site: which it answers itself, and which it hands on. Pure.

This module owns the parts of ``nginx.conf`` that follow from the settings of a project: static files and uploads,
websockets, routes, redirects, headers, locations of its own. The frame around them is in ``nginx.py``.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from textwrap import indent

from components import routes
from components.keys import Path_
from components.model import NOT_SERVED, App, Check, Edge, Health, Media, ServeStatic, Settings, Static

STATIC_DIR = "/srv/static"
"""Where the edge mounts the static files, read-only."""

MEDIA_DIR = "/srv/media"
"""Where the edge mounts the uploads, read-only."""

WEBSOCKET_SECONDS = 3600
"""How long a websocket may say nothing. The app ends it earlier, if it wants to."""

_TEXT = "application/javascript application/json image/svg+xml text/css text/javascript text/plain text/xml"

_STATIC = """
        location {url} {{
            alias {folder}/;
            charset utf-8;
            charset_types {text};
            gzip_static on;
            add_header Cache-Control $static_caching;
{headers}        }}
"""

_MEDIA = """
        location {url} {{
            {internal}alias {folder}/;
            add_header Content-Disposition {disposition};
{headers}        }}
"""

_HANDED_ON = """
        location {match} {{
            error_page 418 = {large};
            if ($large) {{
                return 418;
            }}
{timeouts}            proxy_pass http://{upstream};
        }}
"""

_LARGE = """
        location {large} {{
            proxy_request_buffering off;
            proxy_pass http://{upstream};
        }}
"""

_TIMEOUTS = f"""\
            proxy_send_timeout {WEBSOCKET_SECONDS}s;
            proxy_read_timeout {WEBSOCKET_SECONDS}s;
"""

PASSWORDS = "htpasswd"
"""Name of the secret file with who may see the site."""

PASSWORDS_DIR = "/run/secrets"
"""Where the edge mounts it."""

NOINDEX = {"X-Robots-Tag": "noindex, nofollow"}
"""The header that tells search engines to stay away."""

# What the visitor says to the edge is not for the app: it would take it for a login of its own.
_ACCESS = f"""
        auth_basic "restricted";
        auth_basic_user_file {PASSWORDS_DIR}/{PASSWORDS};
        proxy_set_header Authorization "";
"""

_OPEN = """
        location = {path} {{
            auth_basic off;
            proxy_pass http://app;
        }}
"""

_OWN = """
        # slipway:edge.locations
        location {match} {{
{text}
        }}
"""

_INTERNAL = """\
    # What the app says about an upload that it hands out is what the visitor gets.
    map $sent_http_content_disposition $internal_disposition {
        default "";
        "" $media_disposition;
    }

"""

CONNECTION = """\
    map $websocket $app_connection {{
        default upgrade;
        "" {otherwise};
    }}
"""
"""What a connection to the app is for. Without a websocket, it is kept or it is not."""

KEPT, CLOSED = '""', "close"
"""What ``Connection`` says to the app where no websocket is wanted: the connection is kept for other requests, or not."""

_WEBSOCKETS = """\
    # Where there are websockets, what asks for one is handed on as that; nothing else is upgraded.
    map $http_upgrade $wants_websocket {{
        default "";
        "~*^websocket$" websocket;
    }}
    map $uri $websocket {{
        default "";
{paths}    }}
{connection}
"""

_HOST = """\
    server {{
        listen {port};
        server_name {host};
        return {code} {target};
    }}

"""

_EXACT = """
        location = {path} {{
            return {code} "{target}";
        }}
"""

_BELOW = """
        location ^~ {path} {{
            return {code} "{target}";
        }}
"""

# As it was asked for: nginx' own idea of a path has no %XX, and what was a line break would be one in the answer.
_REST = """
        location ^~ {path} {{
            if ($request_uri ~ "^{pattern}(.*)$") {{
                return {code} "{target}$1";
            }}
            return {code} "{target}";
        }}
"""


def further_hosts(edge: Edge) -> list[str]:
    """List the host names beside the domain that visitors ask for: those of the site, and those that lead elsewhere."""
    return [*edge.hosts, *(source for source in edge.redirects if not source.startswith("/"))]


def http(settings: Settings, port: int) -> str:
    """Give what stands before the server of the site, whose port is ``port``."""
    internal = _INTERNAL if settings.media.internal else ""
    return internal + _websockets(settings.edge) + _hosts(settings.edge, port)


def proxy(edge: Edge) -> str:
    """Give what the server says about connections to the app, beside what it always says."""
    return "        proxy_set_header Upgrade $websocket;\n" if edge.websockets else ""


def connection(edge: Edge) -> str:
    """Give what ``Connection`` says to the app."""
    return "$app_connection" if edge.websockets else KEPT


def headers(edge: Edge) -> str:
    """Give the headers of every answer of the server; those of the app with the same name are left out."""
    hidden = "".join(f"        proxy_hide_header {name};\n" for name in _headers(edge))
    return hidden + indent(_added(edge), " " * 8)


def access(edge: Edge) -> str:
    """Give what the server says about who may see the site."""
    return "" if edge.basic_auth is None else _ACCESS


def open_path(edge: Edge, app: App, health: Health) -> str | None:
    """Give the page that everybody may ask where the others want a password; None where there is none such."""
    return app.health_path if edge.basic_auth is not None and health.check is Check.PAGE else None


def passwords(user: str, password: str) -> str:
    """Give the file with who may see the site. The same password gives the same file, so that nothing is replaced."""
    salt = hashlib.sha256(f"slipway {user} {password}".encode()).digest()[:8]
    digest = hashlib.sha1(
        password.encode() + salt, usedforsecurity=False
    ).digest()  # the only salted one that nginx has itself
    return f"{user}:{{SSHA}}{base64.b64encode(digest + salt).decode()}\n"


def locations(settings: Settings) -> str:
    """Give the locations of the site beside ``/``, which is the app's."""
    edge = settings.edge
    path = open_path(edge, settings.app, settings.health)
    free = "" if path is None else _OPEN.format(path=path)
    return "".join([free, _static(settings), _media(settings), _handed_on(edge), _redirects(edge), _own(edge)])


def taken(
    edge: Edge, static: Static | None, media: Media | None, free: str | None = None
) -> Iterator[tuple[Path_, str]]:
    """Give each location with the setting that makes it, as nginx tells them apart: one beginning with = is another.

    Args:
        edge: what it is all about.
        static: where static files are; None where that is not known.
        media: where uploads are; None where that is not known.
        free: the page that everybody may ask, where the others want a password.
    """
    yield (), "/"
    if free is not None:
        yield ("edge", "basic_auth"), f"= {free}"
    if static is not None and static.serve is not ServeStatic.PROJECT:
        yield ("static", "url"), static.url
    if media is not None and media.url != NOT_SERVED:
        yield ("media", "url"), media.url
    for path in routes.handed_on(edge):
        yield ("edge", "routes", path) if path in edge.routes else ("edge", "websockets"), _match(path)
    for source in edge.redirects:
        if source.startswith("/"):
            yield ("edge", "redirects", source), source[:-1] if source.endswith("*") else f"= {source}"
    yield from ((("edge", "locations", match), match.removeprefix("^~ ")) for match in edge.locations)


def redirect(target: str) -> tuple[str, str]:
    """Take a target apart: the status, 301 where none is said, and where it leads."""
    code, _, where = target.rpartition(" ")
    return code or "301", where


def _match(path: str) -> str:
    """Write a path as nginx matches it: what ends with a / is all below it."""
    return path if path.endswith("/") else f"= {path}"


def _pattern(path: str) -> str:
    """Write a path as a part of a regular expression."""
    return path.replace(".", "[.]")


def _added(edge: Edge, *own: str) -> str:
    """Give headers of every answer. A location that adds one of its own says all of them again."""
    said = _headers(edge)
    lines = [f'add_header {name} "{_quoted(value)}" always;\n' for name, value in said.items()]
    names = {name.lower() for name in said}
    return "".join([*(f"{line}\n" for line in own if line.split()[1].lower() not in names), *lines])


def _headers(edge: Edge) -> dict[str, str]:
    """Give the headers of every answer; what the stack's file says wins."""
    said = {name.lower() for name in edge.headers}
    own = {name: value for name, value in NOINDEX.items() if edge.noindex and name.lower() not in said}
    return {**own, **edge.headers}


def _quoted(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _static(settings: Settings) -> str:
    """Give the location of the static files; none where the project serves them itself."""
    if settings.static.serve is ServeStatic.PROJECT:
        return ""
    return _STATIC.format(url=settings.static.url, folder=STATIC_DIR, text=_TEXT, headers=_of_files(settings.edge))


def _media(settings: Settings) -> str:
    """Give the location of the uploads; none where nobody serves them."""
    media = settings.media
    if media.url == NOT_SERVED:
        return ""
    return _MEDIA.format(
        url=media.url,
        folder=MEDIA_DIR,
        internal="internal;\n            " if media.internal else "",
        disposition="$internal_disposition" if media.internal else "$media_disposition",
        headers=_of_files(settings.edge),
    )


def _of_files(edge: Edge) -> str:
    return indent(_added(edge, "add_header X-Content-Type-Options nosniff always;"), " " * 12)


def _handed_on(edge: Edge) -> str:
    """Give the locations that go to processes, but for ``/``, which is in the frame with where its large requests go."""
    found = {path: routes.upstream(edge, path) for path in routes.handed_on(edge)}
    others = [name for name in dict.fromkeys(found.values()) if name != routes.APP]
    return "".join(
        [
            *(
                _HANDED_ON.format(
                    match=_match(path),
                    large=_large(name),
                    timeouts=_TIMEOUTS if routes.is_websocket(edge, path) else "",
                    upstream=name,
                )
                for path, name in found.items()
            ),
            *(_LARGE.format(large=_large(name), upstream=name) for name in others),
        ]
    )


def _large(upstream: str) -> str:
    """Name the location of large requests, which are passed on as they come."""
    return "@large" if upstream == routes.APP else f"@large-{upstream}"


def _websockets(edge: Edge) -> str:
    if not edge.websockets:
        return ""
    patterns = (_pattern(path) + ("" if path.endswith("/") else "$") for path in dict.fromkeys(edge.websockets))
    paths = "".join(f'        "~^{pattern}" $wants_websocket;\n' for pattern in patterns)
    return _WEBSOCKETS.format(paths=paths, connection=CONNECTION.format(otherwise=KEPT))


def _hosts(edge: Edge, port: int) -> str:
    """Give the servers of host names that lead elsewhere. Without a path, the target keeps the one that was asked for."""
    servers = []
    for host, said in edge.redirects.items():
        if host.startswith("/"):
            continue
        code, target = redirect(said)
        kept = target.endswith("*") or target.count("/") == 2  # noqa: PLR2004 - those of https://
        whole = f"{target.rstrip('*').rstrip('/')}$request_uri" if kept else target
        servers.append(_HOST.format(port=port, host=host, code=code, target=f'"{whole}"'))
    return "".join(servers)


def _redirects(edge: Edge) -> str:
    return "".join(_redirect(source, said) for source, said in edge.redirects.items() if source.startswith("/"))


def _redirect(source: str, said: str) -> str:
    """Give the location of one redirect. What was asked for after a ? goes along, unless the target has its own."""
    code, target = redirect(said)
    query = "" if {"?", "#"} & set(target) else "$is_args$args"
    if not source.endswith("*"):
        return _EXACT.format(path=source, code=code, target=target + query)
    path = source[:-1]
    if not target.endswith("*"):
        return _BELOW.format(path=path, code=code, target=target + query)
    return _REST.format(path=path, pattern=_pattern(path), code=code, target=target[:-1])


def _own(edge: Edge) -> str:
    return "".join(
        _OWN.format(match=match, text=indent(text.strip("\n"), " " * 12)) for match, text in edge.locations.items()
    )
