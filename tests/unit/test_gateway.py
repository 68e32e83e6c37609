"""The configuration of a gateway. What nginx does with it is in tests/e2e/test_environments.py."""

import re

import pytest

from components import gateway, nginx
from tests.sample import settings


def site(domain: str = "review.example.org", **said: object) -> str:
    """Give the configuration."""
    return gateway.site(settings({"review": {"gateway": said}}).review.gateway, domain)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("pr-1.review.example.org", True),
        ("api.pr-1.review.example.org", True),
        ("review.example.org", False),
        ("pr-1.reviewxexample.org", False),
        ("pr-1.review.example.org.evil.org", False),
        ("127.0.0.1", False),
    ],
)
def test_only_names_below_the_domain_are_handed_on(host: str, ours: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whatever else somebody asks for, nothing is looked up for it."""
    found = re.search(r'server_name "~(.*)";', site())
    assert found is not None
    assert bool(re.search(found[1], host)) is ours


def test_a_host_name_is_looked_up_on_the_network() -> None:
    """The name of the edge on the network follows from the host name, and means nothing outside."""
    assert "proxy_pass http://$host.slipway.internal:8080;" in site()
    assert "resolver 127.0.0.11 valid=1s ipv6=off;" in site()
    assert gateway.alias("pr-1.review.example.org") == "pr-1.review.example.org.slipway.internal"


@pytest.mark.parametrize(
    "line",
    [
        "client_max_body_size 0;",
        "proxy_request_buffering off;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-Host $http_host;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $forwarded_proto;",
        "proxy_set_header Connection $gateway_connection;",
        "proxy_set_header Upgrade $http_upgrade;",
    ],
)
def test_what_goes_through(line: str) -> None:
    """Bodies of any size, websockets, and who asked for what."""
    assert line in site()


def test_what_a_visitor_says_of_himself() -> None:
    """It is believed where only a proxy can connect, and not where visitors do."""
    assert nginx.forwarded(proxied=True) in site(address="127.0.0.1")
    assert nginx.forwarded(proxied=False) in site(address="0.0.0.0")  # noqa: S104 - an address in settings


def test_nothing_names_a_stack() -> None:
    """A gateway is the same whichever environments there are; its command is the same for every gateway."""
    assert "pr-" not in site()
    assert gateway.command() == gateway.command()
    assert '"$SLIPWAY_SITE"' in gateway.command()[2]


def test_names() -> None:
    """The network and the container are named after the gateway; a label finds both."""
    assert gateway.network("review") == gateway.container("review") == "slipway-gateway-review"
    assert gateway.labels("review") == {"slipway.gateway": "review"}
