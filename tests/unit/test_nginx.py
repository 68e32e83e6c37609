"""The configuration of the edge. Whether nginx understands it, and what it does, is in tests/e2e/test_edge.py."""

import re
import subprocess

import pytest

from components import nginx
from tests.sample import settings


def _values(text: str) -> dict[str, str]:
    """Read the simple directives; the last of a name counts."""
    return dict(re.findall(r"^\s*([a-z_]+) ([^;{]+);$", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        (
            {"max_body_mb": 25, "timeout_seconds": 30},
            {"client_max_body_size": "25m", "proxy_read_timeout": "30s", "worker_shutdown_timeout": "35s"},
        ),
        (
            {"max_body_mb": 2000, "timeout_seconds": 600},
            {"client_max_body_size": "2000m", "proxy_send_timeout": "600s", "worker_shutdown_timeout": "605s"},
        ),
        ({"resources": {"memory_mb": 64, "cpus": 0.25}}, {"worker_processes": "1"}),
        ({"resources": {"memory_mb": 64, "cpus": 2.5}}, {"worker_processes": "3"}),
    ],
)
def test_settings_are_directives(edge: dict[str, object], expected: dict[str, str]) -> None:
    """Each setting of the edge is the directive that it is named after."""
    values = _values(nginx.site(settings({"edge": edge})))
    assert {key: values[key] for key in expected} == expected


def test_fixed_directives() -> None:
    """What the app relies on."""
    values = _values(nginx.site(settings()))
    assert {
        key: values[key]
        for key in (
            "server_tokens",
            "proxy_http_version",
            "proxy_connect_timeout",
            "proxy_next_upstream",
            "gzip",
            "listen",
        )
    } == {
        "server_tokens": "off",
        "proxy_http_version": "1.1",
        "proxy_connect_timeout": "2s",
        "proxy_next_upstream": "error timeout",
        "gzip": "on",
        "listen": "8080 default_server",
    }


def test_headers_are_overwritten() -> None:
    """Every header that an app may trust is set by the edge, never passed on or added to."""
    headers = dict(re.findall(r"proxy_set_header (\S+) (.+);", nginx.site(settings())))
    assert headers == {
        "Connection": '""',
        "Host": "$http_host",
        "X-Forwarded-Host": "$http_host",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$forwarded_proto",
        "X-Forwarded-Port": '""',
        "X-Real-IP": "$remote_addr",
        "X-Request-ID": "$request_id",
        "Forwarded": '""',
        "Proxy": '""',
    }


@pytest.mark.parametrize(("address", "believed"), [("127.0.0.1", True), ("127.1.2.3", True), ("0.0.0.0", False)])  # noqa: S104 - never bound
def test_only_a_proxy_on_the_same_host_is_believed(address: str, believed: bool) -> None:  # noqa: FBT001 - a table
    """What a visitor says about himself counts only where no visitor can connect."""
    text = nginx.site(settings({"edge": {"address": address}}))
    assert ("real_ip_header X-Forwarded-For;" in text) is believed
    assert ("$http_x_forwarded_proto" in text) is believed


@pytest.mark.parametrize(
    ("name", "forever"),
    [
        ("/static/admin/css/base.0123456789ab.css", True),
        ("/static/logo.0123456789ab", True),
        ("/static/admin/css/base.css", False),
        ("/static/base.0123456789.css", False),
        ("/static/base.0123456789abc.css", False),
        ("/static/staticfiles.json", False),
    ],
)
def test_names_with_a_hash_are_cached_for_ever(name: str, forever: bool) -> None:  # noqa: FBT001 - a table
    """The pattern in the configuration takes the names that Django's manifest storage makes, and no others."""
    text = nginx.site(settings())
    [(pattern, value)] = re.findall(r'"~(\S+)" "(public, max-age=31536000, immutable)";', text)
    assert value
    assert bool(re.search(pattern, name)) is forever


@pytest.mark.parametrize(
    ("name", "downloaded"),
    [
        *[("a.html", True), ("a.HTM", True), ("a.svg", True), ("a.svgz", True), ("a.xml", True), ("a.xhtml", True)],
        *[("a.png", False), ("a.pdf", False), ("html", False), ("a.html.png", False)],
    ],
)
def test_active_uploads_are_downloaded(name: str, downloaded: bool) -> None:  # noqa: FBT001 - a table
    """What a browser would run as part of the site is not shown inline."""
    [pattern] = re.findall(r'"~\*(\S+)" attachment;', nginx.site(settings()))
    assert bool(re.search(pattern, name, re.IGNORECASE)) is downloaded


def test_an_id_names_everything_that_the_edge_is_told() -> None:
    """Another text or another member is another id; the order of the members is not."""
    one = nginx.configuration_id("text", ["a:8000", "b:8000"])
    assert one == nginx.configuration_id("text", ["b:8000", "a:8000"]) == "d6c4090b8d89"
    others = {
        nginx.configuration_id("text2", ["a:8000", "b:8000"]),
        nginx.configuration_id("text", ["a:8000"]),
        nginx.configuration_id("text", ["a:8000", "b:8001"]),
    }
    assert len(others | {one}) == 4


def test_environment_of_the_switch() -> None:
    """The switch gets a configuration, its members and where to ask; nothing of it is secret."""
    assert nginx.switch_environment("text", ["a:8000", "b:8000"], "shop-dev-edge") == {
        "SLIPWAY_ID": nginx.configuration_id("text", ["a:8000", "b:8000"]),
        "SLIPWAY_SITE": "text",
        "SLIPWAY_MEMBERS": "a:8000 b:8000",
        "SLIPWAY_EDGE": "shop-dev-edge:8081",
        "SLIPWAY_TIMEOUT": "30",
    }


@pytest.mark.parametrize(
    "command", [nginx.edge_command(), nginx.switch_command(), nginx.edge_health_command(), nginx.verify_command()]
)
def test_programs_are_shell(command: list[str]) -> None:
    """Each command is a shell and a program that the shell can parse."""
    assert command[:2] == ["sh", "-c"]
    subprocess.run(["sh", "-n"], input=command[2], text=True, check=True, timeout=10)


def test_the_command_of_the_edge_knows_no_stack() -> None:
    """What differs between stacks and releases reaches the edge through its volume, so nothing replaces it."""
    [program] = nginx.edge_command()[2:]
    assert str(nginx.HTTP_PORT) in program
    assert str(nginx.STATUS_PORT) in program
    assert nginx.CONFIG_DIR in program


@pytest.mark.parametrize(
    ("expose", "believed"),
    [("none", True), ("ingress", True), ("gateway", True), ("node_port", False), ("load_balancer", False)],
)
def test_on_a_cluster_only_what_is_in_it_is_believed(expose: str, believed: bool) -> None:  # noqa: FBT001 - a table
    """Where visitors connect from outside of the cluster, what they say about themselves counts for nothing."""
    cluster = {"registry": "registry.example.org", "expose": expose, "gateway": "a/b"}
    text = nginx.site(settings({"target": "kubernetes", "kubernetes": cluster}))

    assert ("real_ip_header X-Forwarded-For;" in text) is believed


def test_standalone() -> None:
    """Without a switch, everything is in three files; one name stands for all processes, and no connection is kept."""
    files = nginx.standalone(nginx.site(settings()), "web:8000")

    assert set(files) == {"nginx.conf", "upstream.conf", "status.conf"}
    assert files["upstream.conf"].count("server web:8000 max_fails=0;") == 3
    assert "keepalive" not in files["upstream.conf"]
    assert dict(re.findall(r"proxy_set_header (\S+) (.+);", files["nginx.conf"]))["Connection"] == "close"
    assert "listen 8081;" in files["status.conf"]


def test_standalone_with_several_upstreams() -> None:
    """Each has one name that stands for its processes, and is a part of what the configuration is called."""
    text = nginx.site(settings())
    files = nginx.standalone(text, "web:8000", {"process-sockets": "process-sockets:9000"})

    assert files["upstream.conf"].startswith("upstream app {\n    zone app 128k;\n    server web:8000 max_fails=0;\n")
    assert (
        "upstream process-sockets {\n    zone process-sockets 128k;\n"
        + 3 * "    server process-sockets:9000 max_fails=0;\n"
        + "}\n"
    ) in files["upstream.conf"]
    assert files["status.conf"] != nginx.standalone(text, "web:8000")["status.conf"]


def test_standalone_knows_itself() -> None:
    """Each configuration tells its own id, which is the same for the same text."""
    ids = {
        re.findall(r'return 200 "([0-9a-f]{12})\\n"', nginx.standalone(text, "web:8000")["status.conf"])[0]
        for text in ("one", "two", "one")
    }
    assert len(ids) == 2


def test_standalone_has_no_shell() -> None:
    """Nginx is the first process, so that it gets the signals, and reads what is mounted."""
    assert nginx.standalone_command()[0] == "nginx"
    assert f"{nginx.CONFIG_DIR}/nginx.conf" in nginx.standalone_command()
