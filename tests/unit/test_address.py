"""Where a deployment is reached follows from the settings, on every target."""

from typing import Any

import pytest

from components import address, environment
from tests.sample import settings


def cluster(**kubernetes: object) -> dict[str, Any]:
    """Give a stack on a cluster."""
    return {
        "target": "kubernetes",
        "domain": "shop.example.org",
        "kubernetes": {"registry": "registry.example.org", "gateway": "a/b", "issuer": "a", **kubernetes},
    }


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({}, "http://127.0.0.1:8080/"),
        ({"edge": {"address": "10.0.0.7", "port": 80}}, "http://10.0.0.7:80/"),
        ({"domain": "pr-1.review.example.org", "edge": {"gateway": "review"}}, "http://pr-1.review.example.org:8090/"),
        (
            {
                "domain": "pr-1.review.example.org",
                "edge": {"gateway": "review"},
                "review": {"gateway": {"port": 80}},
            },
            "http://pr-1.review.example.org/",
        ),
        (cluster(), "http://edge.shop-test.svc/"),
        (cluster(expose="node_port"), "http://edge.shop-test.svc/"),
        (cluster(expose="load_balancer", namespace="other"), "http://edge.other.svc/"),
        (cluster(expose="ingress"), "http://shop.example.org/"),
        (cluster(expose="ingress", tls="secret"), "https://shop.example.org/"),
        (cluster(expose="gateway", tls="cert_manager"), "https://shop.example.org/"),
    ],
)
def test_url(said: dict[str, Any], url: str) -> None:
    """The host's port, the domain, or the name inside the cluster."""
    assert address.url(settings(said)) == url


@pytest.mark.parametrize(
    ("said", "hosts", "origins"),
    [
        (
            cluster(),
            "shop.example.org,edge.shop-test.svc,127.0.0.1,localhost",
            "https://shop.example.org,http://edge.shop-test.svc",
        ),
        (cluster(expose="ingress"), "shop.example.org", "https://shop.example.org"),
        (cluster(expose="load_balancer"), "shop.example.org", "https://shop.example.org"),
        (
            cluster(expose="ingress") | {"edge": {"hosts": "shop.example.com *.shop.example.org"}},
            "shop.example.org,shop.example.com,.shop.example.org",
            "https://shop.example.org,https://shop.example.com,https://*.shop.example.org",
        ),
    ],
)
def test_names_that_the_app_answers_to(said: dict[str, Any], hosts: str, origins: str) -> None:
    """Where visitors come from outside, the domain alone; where only operators come, the names that they use too."""
    found = environment.app(settings(said), "0123456789ab")

    assert (found["ALLOWED_HOSTS"], found["CSRF_TRUSTED_ORIGINS"]) == (hosts, origins)


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://app:a%2Fb@host:5432/app", "a/b"),
        ("redis://host:6379/0", ""),
        ("nothing", ""),
        ("http://[broken", ""),
    ],
)
def test_the_password_in_an_address(url: str, password: str) -> None:
    """It is found, to be kept out of error messages."""
    assert environment.password_in(url) == password


@pytest.mark.parametrize(
    ("domain", "public"),
    [("pr-1.localhost", "http://pr-1.localhost:8090"), ("pr-1.review.example.org", "https://pr-1.review.example.org")],
)
def test_what_visitors_know_behind_a_gateway(domain: str, public: str) -> None:
    """Names of this machine have the port of the gateway and no certificate; nobody asks for the edge's own port."""
    loaded = settings({"domain": domain, "edge": {"gateway": "review"}})

    assert address.public(loaded) == public
    assert address.local_names(loaded) == []
