"""What nginx does with the addresses of a site, as text. What it does for real is in tests/e2e."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from components import edge_rules, nginx
from components.edge_rules import redirect
from components.problems import SettingsError
from tests.sample import settings

STATIC = """
        location /static/ {
            alias /srv/static/;
            charset utf-8;
            charset_types application/javascript application/json image/svg+xml text/css text/javascript text/plain text/xml;
            gzip_static on;
            add_header Cache-Control $static_caching;
            add_header X-Content-Type-Options nosniff always;
        }
"""

MEDIA = """
        location /media/ {
            alias /srv/media/;
            add_header Content-Disposition $media_disposition;
            add_header X-Content-Type-Options nosniff always;
        }
"""

INTERNAL = """
        location /media/ {
            internal;
            alias /srv/media/;
            add_header Content-Disposition $internal_disposition;
            add_header X-Content-Type-Options nosniff always;
        }
"""


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, STATIC + MEDIA),
        ({"static": {"serve": "project"}}, MEDIA),
        ({"static": {"serve": "volume", "root": "/app/collected"}}, STATIC + MEDIA),
        ({"static": {"url": "/assets/js/"}}, STATIC.replace("/static/ {", "/assets/js/ {") + MEDIA),
        ({"media": {"url": "/up/"}}, STATIC + MEDIA.replace("/media/ {", "/up/ {")),
        ({"media": {"url": "none"}}, STATIC),
        ({"media": {"internal": True}}, STATIC + INTERNAL),
    ],
)
def test_locations(said: Mapping[str, Any], text: str) -> None:
    """What is served from files, where, and what is not."""
    assert edge_rules.locations(settings(said)) == text
    assert text in nginx.site(settings(said))


@pytest.mark.parametrize("internal", [False, True])
def test_what_the_app_says_about_an_upload_wins(internal: bool) -> None:  # noqa: FBT001 - a table
    """Only where the app hands uploads out can it have said how a browser takes them."""
    text = nginx.site(settings({"media": {"internal": internal}}))
    assert ("map $sent_http_content_disposition $internal_disposition {" in text) is internal


def edge(**said: Any) -> str:  # noqa: ANN401 - settings are of many types
    """Give the locations that an edge has beside those of files."""
    return edge_rules.locations(settings({"edge": said})).removeprefix(STATIC + MEDIA)


WEBSOCKET = """
        location /ws/ {
            error_page 418 = @large;
            if ($large) {
                return 418;
            }
            proxy_send_timeout 3600s;
            proxy_read_timeout 3600s;
            proxy_pass http://app;
        }
"""

UPGRADE = """\
    # Where there are websockets, what asks for one is handed on as that; nothing else is upgraded.
    map $http_upgrade $wants_websocket {
        default "";
        "~*^websocket$" websocket;
    }
    map $uri $websocket {
        default "";
        "~^/ws/" $wants_websocket;
        "~^/live[.]socket$" $wants_websocket;
    }
    map $websocket $app_connection {
        default upgrade;
        "" "";
    }

"""


def test_websockets() -> None:
    """Their addresses wait long, and they alone are upgraded; other connections are kept as ever."""
    said = {"edge": {"websockets": ["/ws/", "/live.socket"]}}
    text = nginx.site(settings(said))

    assert edge(**said["edge"]) == WEBSOCKET + WEBSOCKET.replace("location /ws/ {", "location = /live.socket {")
    assert UPGRADE in text
    assert (
        "        proxy_set_header Connection $app_connection;\n        proxy_set_header Upgrade $websocket;\n" in text
    )
    assert "$websocket" not in nginx.site(settings())


def test_websockets_where_no_connection_is_kept() -> None:
    """Where one name stands for all processes, what is no websocket is closed after its answer."""
    text = nginx.standalone(nginx.site(settings({"edge": {"websockets": ["/ws/"]}})), "web:8000")["nginx.conf"]

    assert '        default upgrade;\n        "" close;\n' in text
    assert "proxy_set_header Connection $app_connection;" in text


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("/", "/shop/", '        location = / {\n            return 301 "/shop/$is_args$args";\n        }\n'),
        ("/old", "302 /new?a=b", '        location = /old {\n            return 302 "/new?a=b";\n        }\n'),
        ("/o.d/*", "/new", '        location ^~ /o.d/ {\n            return 301 "/new$is_args$args";\n        }\n'),
        (
            "/o.d/*",
            "308 https://blog.example.org/a/*",
            (
                "        location ^~ /o.d/ {\n"
                '            if ($request_uri ~ "^/o[.]d/(.*)$") {\n'
                '                return 308 "https://blog.example.org/a/$1";\n'
                "            }\n"
                '            return 308 "https://blog.example.org/a/";\n'
                "        }\n"
            ),
        ),
    ],
)
def test_redirects(source: str, target: str, text: str) -> None:
    """A path leads elsewhere, or all that is below it does; what was asked for after a ? goes along."""
    assert edge(redirects={source: target}) == f"\n{text}"


@pytest.mark.parametrize(
    ("target", "code", "whole"),
    [
        ("https://shop.example.org", 301, "https://shop.example.org$request_uri"),
        ("https://shop.example.org/*", 301, "https://shop.example.org$request_uri"),
        ("302 https://shop.example.org/from/*", 302, "https://shop.example.org/from$request_uri"),
        ("https://shop.example.org/", 301, "https://shop.example.org/"),
        ("https://shop.example.org/moved", 301, "https://shop.example.org/moved"),
    ],
)
def test_host_names_that_lead_elsewhere(target: str, code: int, whole: str) -> None:
    """Each has a server of its own; the path goes along, unless the target has one."""
    said = settings({"edge": {"redirects": {"old.example.org": target}}})

    assert edge_rules.locations(said) == STATIC + MEDIA
    assert edge_rules.http(said, 8080) == (
        "    server {\n        listen 8080;\n        server_name old.example.org;\n"
        f'        return {code} "{whole}";\n'
        "    }\n\n"
    )


def test_headers() -> None:
    """They are on every answer, also of files, instead of what others say; quotes stay what they are."""
    said = {"edge": {"headers": {"X-content-type-options": "nosniff", "Content-Security-Policy": 'a "b" \\'}}}
    text = nginx.site(settings(said))
    added = [
        'add_header X-content-type-options "nosniff" always;',
        'add_header Content-Security-Policy "a \\"b\\" \\\\" always;',
    ]

    assert (
        "        proxy_redirect off;\n"
        "        proxy_hide_header X-content-type-options;\n"
        "        proxy_hide_header Content-Security-Policy;\n" + "".join(f"        {line}\n" for line in added)
    ) in text
    for before in ("add_header Cache-Control $static_caching;", "add_header Content-Disposition $media_disposition;"):
        assert f"            {before}\n" + "".join(f"            {line}\n" for line in added) + "        }\n" in text


def test_locations_of_the_projects_own() -> None:
    """What stands in the file of a stack is in the configuration as it is."""
    assert edge(locations={"~ ^/a$": "return 200 'a';\nadd_header B c;\n"}) == (
        "\n        # slipway:edge.locations\n        location ~ ^/a$ {\n"
        "            return 200 'a';\n            add_header B c;\n        }\n"
    )


def test_further_hosts() -> None:
    """Whoever routes by host names has to know all of them."""
    said = {"hosts": "*.example.org", "redirects": {"old.example.org": "https://example.org", "/a": "/b"}}
    assert edge_rules.further_hosts(settings({"edge": said}).edge) == ["*.example.org", "old.example.org"]


def test_a_target_taken_apart() -> None:
    """It is for ever unless something else is said."""
    assert redirect("/a") == ("301", "/a")
    assert redirect("302 /a") == ("302", "/a")


def to_process(match: str, timeouts: str = "") -> str:
    """Give a location that another process answers than web."""
    text = WEBSOCKET.replace("@large", "@large-process-sockets").replace("http://app", "http://process-sockets")
    before, _, after = text.partition("            proxy_send_timeout 3600s;\n            proxy_read_timeout 3600s;\n")
    return (before + timeouts + after).replace("location /ws/ {", f"location {match} {{")


LARGE = """
        location @large-process-sockets {
            proxy_request_buffering off;
            proxy_pass http://process-sockets;
        }
"""
LONG = "            proxy_send_timeout 3600s;\n            proxy_read_timeout 3600s;\n"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"routes": {"/api/": "sockets"}}, to_process("/api/") + LARGE),
        ({"routes": {"/ws/": "sockets"}, "websockets": "/ws/"}, to_process("/ws/", LONG) + LARGE),
        (
            {"routes": {"/ws/": "sockets"}, "websockets": "/ws/chat /other/"},
            to_process("/ws/")
            + to_process("= /ws/chat", LONG)
            + WEBSOCKET.replace("location /ws/ {", "location /other/ {")
            + LARGE,
        ),
        (
            {"routes": {"/a/": "sockets", "/a/b": "sockets"}},
            to_process("/a/") + to_process("= /a/b") + LARGE,
        ),
    ],
)
def test_routes(said: Mapping[str, Any], text: str) -> None:
    """A path and what is below it go to the process that is named, with the patience that its websockets need."""
    processes = {"sockets": {"command": "daphne", "port": 9000}}
    found = edge_rules.locations(settings({"edge": said, "processes": processes}))
    assert found.removeprefix(STATIC + MEDIA) == text


def test_noindex_is_a_header_of_every_answer() -> None:
    """Also of static files; a header of the same name that the stack's file says wins."""
    line = 'add_header X-Robots-Tag "noindex, nofollow" always;'
    assert nginx.site(settings({"edge": {"noindex": True}})).count(line) == 3
    assert line not in nginx.site(settings())
    own = nginx.site(settings({"edge": {"noindex": True, "headers": {"x-robots-tag": "none"}}}))
    assert line not in own
    assert 'add_header x-robots-tag "none" always;' in own


ACCESS = """
        auth_basic "restricted";
        auth_basic_user_file /run/secrets/htpasswd;
        proxy_set_header Authorization "";
"""

OPEN = """
        location = /healthz {
            auth_basic off;
            proxy_pass http://app;
        }
"""


def test_a_password_for_the_site() -> None:
    """Everything wants it but the page of the health check; what was said to the edge does not reach the app."""
    text = nginx.site(settings({"edge": {"basic_auth": "reviewer"}}))
    assert ACCESS in text
    assert OPEN in text
    assert "auth_basic" not in nginx.site(settings())


def test_no_page_is_open_where_none_tells_that_the_app_is_well() -> None:
    """A port or a command is asked inside, and everything of the site wants the password."""
    text = nginx.site(settings({"edge": {"basic_auth": "reviewer"}, "health": {"check": "tcp"}}))
    assert ACCESS in text
    assert "auth_basic off" not in text


def test_the_open_page_is_an_address_once() -> None:
    """A location of the stack's own for it would be a second one."""
    with pytest.raises(SettingsError, match=r"found /healthz, which is slipway:edge.basic_auth too"):
        settings({"edge": {"basic_auth": "reviewer", "locations": {"= /healthz": "return 204;"}}})


def test_passwords_are_salted_and_stay_the_same() -> None:
    """The file is as nginx reads it; the same password gives the same file, another user or password another salt."""
    text = edge_rules.passwords("reviewer", "secret")
    user, _, stored = text.rstrip("\n").partition(":{SSHA}")
    raw = base64.b64decode(stored)

    assert user == "reviewer"
    assert hashlib.sha1(b"secret" + raw[20:], usedforsecurity=False).digest() == raw[:20]
    assert text == edge_rules.passwords("reviewer", "secret")
    salts = {
        edge_rules.passwords(*each)[-12:] for each in (("a", "secret"), ("reviewer", "other"), ("reviewer", "secret"))
    }
    assert len(salts) == 3
