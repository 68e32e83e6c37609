"""What is said of a gateway that is not there, is another one, or has somebody else behind the same host name."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from components import gateway as text
from components.model import Settings
from pipeline.console import PipelineError, Problem
from pipeline.env import gateway, stackfile
from pipeline.host import check
from tests.sample import settings


class Container:
    """A container of a made-up daemon."""

    def __init__(self, labels: dict[str, str], attrs: dict[str, Any]) -> None:
        self.labels, self.attrs, self.status = labels, attrs, "running"


class Daemon:
    """A made-up daemon: the gateways that run, and what is on their network."""

    def __init__(self, gateways: list[Container], behind: list[Container]) -> None:
        self.containers = self
        self._gateways, self._behind = gateways, behind

    def list(self, filters: dict[str, Any], **_: object) -> list[Container]:
        """Give what is asked for."""
        return self._gateways if "label" in filters else self._behind


def behind(stack: str, project: str, host: str) -> Container:
    """Give an edge behind the gateway."""
    network = {text.network("review"): {"Aliases": [text.alias(host)]}}
    labels = {"slipway.stack": stack, "slipway.project": project}
    return Container(labels, {"NetworkSettings": {"Networks": network}})


def loaded(domain: str = "pr-1.review.example.org") -> Settings:
    """Give the settings of a stack behind a gateway."""
    return settings({"domain": domain, "edge": {"gateway": "review"}})


def door(*found: Container, gateways: int = 1) -> list[str]:
    """Say what is wrong."""
    daemon: Any = Daemon([Container({}, {})] * gateways, list(found))
    return [each.found for each in check.door(daemon, loaded(), "review-pr-1", {})]


def test_a_stack_behind_a_gateway_wants_no_port() -> None:
    """There is nothing to say where it, or nobody, has the host name already."""
    assert door() == []
    assert door(behind("review-pr-1", "shop", "pr-1.review.example.org")) == []
    assert door(behind("review-pr-2", "shop", "pr-2.review.example.org")) == []


def test_without_the_gateway_nobody_would_be_served() -> None:
    """It is named before anything is made."""
    assert door(gateways=0) == ["slipway:edge.gateway: found review, and no such gateway runs on this host"]


def test_a_host_name_of_somebody_else_is_refused() -> None:
    """Visitors would get one or the other."""
    assert door(behind("review-pr-1", "other", "pr-1.review.example.org")) == [
        "slipway:domain: pr-1.review.example.org is stack review-pr-1 of other behind the gateway review"
    ]


def template(root: Path, **said: object) -> stackfile.Template:
    """Write a template and read it."""
    config = {
        "slipway:environment": "review",
        "slipway:review": {"domain": "review.example.org", "gateway": said},
    }
    (root / "stacks/review.template.yaml").write_text(yaml.safe_dump({"config": config}))
    return stackfile.read("review", root)


def running(made: stackfile.Template) -> Container:
    """Give the container of a gateway as a template has it."""
    said = made.review.gateway
    ports = {"8080/tcp": [{"HostIp": said.address, "HostPort": str(said.port)}]}
    env = ["PATH=/bin", f"SLIPWAY_SITE={text.site(said, made.review.domain)}"]
    return Container({}, {"HostConfig": {"PortBindings": ports}, "Config": {"Env": env}})


def test_the_gateway_that_is_wanted_is_fine(root: Path) -> None:
    """Nothing is done about it."""
    made: Any = template(root)
    container: Any = running(made)

    gateway._refuse_other(container, made)


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (
            {"port": 81},
            "the gateway review runs on 127.0.0.1:81, and stacks/review.template.yaml says 127.0.0.1:8090",
        ),
        (
            {"resources": {"memory_mb": 64, "cpus": 2.0}},
            "the gateway review runs, but not as stacks/review.template.yaml says (slipway:review.gateway.resources)",
        ),
    ],
)
def test_another_gateway_is_refused(before: dict[str, object], found: str, root: Path) -> None:
    """It is not changed under those who use it, but by the command that says so."""
    container: Any = running(template(root, **before))

    with pytest.raises(PipelineError) as error:
        gateway._refuse_other(container, template(root))
    assert error.value.problems[0].found == found
    assert str(error.value.problems[0].mend).startswith("python -m pipeline env gateway up ")


def test_projects_share_a_gateway_with_a_domain_each_below_its_own(root: Path) -> None:
    """It serves every name below its domain, however long; one that is not below would be reached by nobody."""
    made: Any = template(root)
    container: Any = running(made)

    below = made.review.model_copy(update={"domain": "blog.review.example.org"})
    gateway._refuse_other(container, replace(made, review=below))

    for domain in ("example.org", "otherreview.example.org", "localhost"):
        other = made.review.model_copy(update={"domain": domain})
        with pytest.raises(PipelineError) as error:
            gateway._refuse_other(container, replace(made, review=other))
        (said,) = error.value.problems
        assert said.found == (
            "the gateway review serves names below review.example.org, and stacks/review.template.yaml says "
            f"slipway:review.domain: {domain}"
        )
        assert f"# serves {domain} instead: nobody is reached below review.example.org any more" in str(said.mend)


def test_a_port_that_somebody_else_has_is_refused_before_anything_is_made(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name; its own port is its own."""
    other: Any = Container({"slipway.stack": "prod", "slipway.project": "shop"}, {})
    other.name, other.ports = "shop-prod-edge", {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8090"}]}

    class Client:
        """A daemon with one container."""

        containers = SimpleNamespace(list=lambda **_: [other])

    made: Any = template(root)
    monkeypatch.setattr(gateway, "daemon", lambda _environ: nullcontext(Client()))
    engine: Any = SimpleNamespace(environ={})

    with pytest.raises(PipelineError) as error:
        gateway.up(engine, made)
    assert error.value.problems == (
        Problem(
            "slipway:review.gateway.port: 127.0.0.1:8090 is taken by the container shop-prod-edge (stack prod of shop)",
            "a free port of the host, or the gateway that is there: its name in slipway:review.gateway.name",
            "another slipway:review.gateway.port in stacks/review.template.yaml",
        ),
    )
    other.labels = {text.LABEL: "review"}
    gateway._refuse_taken(engine, made)
