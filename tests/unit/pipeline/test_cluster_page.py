"""Asking the page of a stack in a cluster, and what is said of the way to it."""

from typing import Any

import pytest

from pipeline.cluster import page, tidy
from pipeline.cluster.connection import connect, place_in, place_of
from pipeline.engine import Engine
from pipeline.page import Page
from tests.unit.pipeline.fake_cluster import HOME, Api, listed, named, of, ours
from tests.unit.pipeline.fake_pulumi import printed
from tests.unit.pipeline.test_page import Server, server

__all__ = ["server"]

FORWARD = "kubectl --context fake -n shop-dev port-forward service/edge 8080:80   # then: "
CONTEXT = "context fake, namespace shop-dev"


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Takes the place of the way through the API server."""
    asked: list[str] = []

    def answer(*_arguments: object) -> Page:
        asked.append("through")
        return Page("http://edge.shop-dev.svc/", 200, 0.01)

    monkeypatch.setattr(page, "through", answer)
    monkeypatch.setattr(page, "DIRECT_SECONDS", 0.2)
    return asked


def test_a_page_that_is_not_exposed_is_asked_through_the_api_server(
    outside: Engine, api: Api, through: list[str]
) -> None:
    """And the command that opens the same way is said."""
    found = page.serve(outside, of(api))

    assert through == ["through"]
    assert found.page.url == "http://edge.shop-dev.svc/"
    assert found.notes == (CONTEXT, FORWARD + "http://localhost:8080/")
    assert found.log == "kubectl --context fake -n shop-dev logs -l slipway.component=web --tail 50"


def test_a_port_of_the_nodes_is_asked(outside: Engine, api: Api, server: Server, through: list[str]) -> None:
    """With the domain's name; nothing goes through the API server then."""
    api.answers[f"{HOME}/services/edge"] = named("edge", spec={"ports": [{"nodePort": server.server_port}]})

    found = page.serve(outside, of(api, {"domain": "shop.example.org"}, expose="node_port"))

    assert (found.page.status, found.page.url) == (200, f"http://127.0.0.1:{server.server_port}/")
    assert server.hosts == ["shop.example.org"]
    assert found.notes == (CONTEXT, "the name shop.example.org has to lead to 127.0.0.1")
    assert through == []


BALANCED = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.9"}]}}}


@pytest.mark.parametrize(
    ("said", "path", "answer", "url"),
    [
        ({"expose": "load_balancer"}, f"{HOME}/services/edge", BALANCED, "http://127.0.0.9/"),
        (
            {"expose": "ingress", "tls": "secret"},
            "/apis/networking.k8s.io/v1/namespaces/shop-dev/ingresses/edge",
            BALANCED,
            "https://shop.example.org/",
        ),
        (
            {"expose": "gateway", "gateway": "gateways/public"},
            "/apis/gateway.networking.k8s.io/v1/namespaces/gateways/gateways/public",
            {"status": {"addresses": [{"value": "127.0.0.9"}]}},
            "http://shop.example.org/",
        ),
    ],
)
def test_the_address_that_the_cluster_gives(  # noqa: PLR0913, PLR0917 - what pytest hands over
    outside: Engine, api: Api, said: dict[str, Any], path: str, answer: dict[str, Any], url: str
) -> None:
    """Of a load balancer, an ingress or a gateway; None as long as there is none."""
    settings = of(api, {"domain": "shop.example.org"}, **said)
    with connect(outside, place_of(settings)) as cluster:
        assert page.give_address(cluster, settings) is None
        api.answers[path] = answer
        address = page.give_address(cluster, settings)
        assert address is not None
        assert address.host == "127.0.0.9"
        assert page.ask(settings, address, timeout=0.2).url == url


def test_an_address_that_does_not_answer_here_is_no_failure(outside: Engine, api: Api, through: list[str]) -> None:
    """It may be one of a network that this machine is not in; the API server is asked instead, and that is said."""
    settings = of(api, {"domain": "shop.example.org"}, expose="load_balancer")
    found = page.serve(outside, settings)
    assert found.notes[:3] == (
        CONTEXT,
        "the cluster has not given the Service an address yet",
        "asked through the API server instead",
    )

    api.answers[f"{HOME}/services/edge"] = BALANCED
    found = page.serve(outside, settings)
    assert found.notes[1].startswith("127.0.0.9:80 does not answer from this machine (")
    assert found.notes[3] == FORWARD + "curl -H 'Host: shop.example.org' http://localhost:8080/"
    assert len(through) == 2


def test_without_an_edge_that_is_ready_nothing_is_asked(outside: Engine, api: Api) -> None:
    """The reason is told."""
    api.answers[f"{HOME}/pods"] = listed(ours("edge-1", "edge"))
    settings = of(api)
    with connect(outside, place_of(settings)) as cluster:
        assert page.through(cluster, settings).error == "none of the 1 pods of the edge is ready"


def test_a_server_that_forwards_nothing_is_told(outside: Engine, api: Api) -> None:
    """The made-up server does not know how to."""
    up = ours("edge-1", "edge", status={"conditions": [{"type": "Ready", "status": "True"}]})
    api.answers[f"{HOME}/pods"] = listed(up)
    settings = of(api)
    with connect(outside, place_of(settings)) as cluster:
        answer = page.through(cluster, settings)
    assert not answer.served
    assert answer.error


# --- after a destroy

PROVIDER = {"type": "pulumi:providers:kubernetes", "inputs": {"namespace": "shop-dev", "context": "fake"}}
IMAGE = {"type": "docker-build:index:Image", "inputs": {"tags": ["registry.example.org/team/shop:r1"]}}


def test_where_a_stack_is_is_known_by_its_state() -> None:
    """Its settings may say something else by now."""
    place = place_in({"resources": [IMAGE, PROVIDER]})
    assert place is not None
    assert (place.context, place.namespace) == ("fake", "shop-dev")
    assert place_in({}) is None


def creating(kind: str, name: str, how: str = "creating", **annotations: str) -> dict[str, Any]:
    """An operation that never ended."""
    metadata = {"name": name, "namespace": "shop-dev", "annotations": annotations}
    return {"type": how, "resource": {"type": f"kubernetes:{kind}", "inputs": {"metadata": metadata}}}


def test_half_made_steps_are_removed(outside: Engine, api: Api) -> None:
    """Those with an automatic name, which no update would find again; what has a fixed one is taken over later."""
    jobs = "/apis/batch/v1/namespaces/shop-dev/jobs"
    auto = {"pulumi.com/autonamed": "true"}
    for path in (f"{jobs}/migration-1", f"{jobs}/switch-1", f"{HOME}/services/edge"):
        api.answers[path] = named(path)
    state = {
        "resources": [PROVIDER, {"id": "shop-dev/switch-1"}],
        "pending_operations": [
            creating("batch/v1:Job", "migration-1", **auto),
            creating("batch/v1:Job", "gone", **auto),
            creating("batch/v1:Job", "switch-1", **auto),
            creating("core/v1:Service", "edge"),
            creating("batch/v1:Job", "static-1", how="deleting", **auto),
            {"type": "creating", "resource": {"type": "docker-build:index:Image"}},
        ],
    }

    tidy.remove_half_made(outside, state)

    assert api.deleted == [f"{jobs}/migration-1"]
    assert printed(outside) == "    removes the half-made Job migration-1\n"


def test_steps_that_nobody_knows_do_not_hold_a_destroy_up(outside: Engine, api: Api) -> None:
    """The pod of one holds the claims that it mounts, even when it has ended."""
    jobs = "/apis/batch/v1/namespaces/shop-dev/jobs"
    api.answers[jobs] = listed(ours("static-1", "static"), ours("static-2", "static"))
    api.answers[f"{jobs}/static-1"] = ours("static-1", "static")

    tidy.reach(outside, {"resources": [PROVIDER, {"id": "shop-dev/static-2"}]})

    assert api.deleted == [f"{jobs}/static-1"]
    assert printed(outside).splitlines()[1:] == [
        "    removes the Job static-1, which an update that was killed has left"
    ]


def test_nothing_half_made_asks_no_cluster(outside: Engine, api: Api) -> None:
    """The usual case."""
    tidy.remove_half_made(outside, {"resources": [PROVIDER]})
    tidy.remove_half_made(outside, {"pending_operations": [creating("batch/v1:Job", "a")]})
    assert api.asked == []


def test_what_a_registry_holds_stays(outside: Engine, api: Api) -> None:
    """It is not ours to remove; the namespace is waited for."""
    assert tidy.after_destroy(outside, {"resources": [PROVIDER, IMAGE]}, False) == [
        "registry.example.org/team/shop:r1 in its registry: remove it there, if nothing else uses it"
    ]
    assert "/api/v1/namespaces/shop-dev" in api.asked


def test_a_destroy_needs_a_cluster_that_answers(outside: Engine, api: Api) -> None:
    """Which one it is, is said; a stack of which nothing is in a cluster needs none."""
    tidy.reach(outside, {})
    assert printed(outside) == ""
    tidy.reach(outside, {"resources": [PROVIDER]})
    assert printed(outside) == f"    uses context fake ({api.url}), namespace shop-dev\n"
