"""What the whole program registers for a cluster, for every stack file, and with everything that settings can add."""

import json
import runpy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components.settings import ROOT
from tests.unit.harness import BUILT_IMAGE, DIGEST, PROVIDER, Recorded, Registered, run
from tests.unit.pod_security import violations

STACKS = {
    "dev": "dev.template.yaml",
    "staging": "Pulumi.staging.yaml",
    "prod": "Pulumi.prod.yaml",
    "review-7": "review.template.yaml",
}
SECRETS = ("django_key", "postgres_password", "redis_password", "tls_certificate", "tls_key", "registry_auth")
VALUES = {f"secrets:{name}": f"the-value-of-{name}" for name in SECRETS}
EVERYTHING = {
    "expose": "ingress",
    "tls": "secret",
    "pull_secret": True,
    "autoscale": {"enabled": True},
    "storage_class": "fast",
    "storage": {"shared_class": "files"},
}
WORKER = {"worker": {"command": "python manage.py worker"}}
every_stack = pytest.mark.parametrize("stack", STACKS)
every_way = pytest.mark.parametrize("cluster", [{}, EVERYTHING], ids=["defaults", "everything"])

pytestmark = pytest.mark.usefixtures("nothing_of_this_machine")


def program(stack: str, cluster: Mapping[str, Any], *, preview: bool = False) -> Recorded:
    """Run the program of a stack file for a cluster."""
    said = yaml.safe_load((ROOT / "stacks" / STACKS[stack]).read_text(encoding="utf-8"))["config"]
    said.pop("slipway:edge", None)  # the port of the review template
    said |= {
        "slipway:target": "kubernetes",
        "slipway:kubernetes": {"registry": "registry.example.org", **cluster},
        "slipway:processes": WORKER,
    }
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    return run(
        lambda: runpy.run_path(str(ROOT / "__main__.py")) and None,
        preview=preview,
        stack=stack,
        config={**config, **VALUES},
        secrets=list(VALUES),
    )


def objects(recorded: Recorded) -> list[Registered]:
    """Give what goes to the cluster."""
    return [each for each in recorded.resources if each.type.startswith("kubernetes:")]


@every_way
@every_stack
def test_every_pod_is_restricted(stack: str, cluster: Mapping[str, Any]) -> None:
    """Pod Security has nothing against any pod, and each has limits, a read-only root and no token."""
    pods = {each.urn: each.pod for each in objects(program(stack, cluster)) if each.pod is not None}

    assert len(pods) == 8
    for urn, pod in pods.items():
        assert violations(pod) == [], urn
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {*container["resources"]["limits"], *container["resources"]["requests"]} == {"cpu", "memory"}


@every_way
@every_stack
def test_previews_are_whole(stack: str, cluster: Mapping[str, Any]) -> None:
    """A preview registers what the update registers."""
    assert program(stack, cluster, preview=True).urns == program(stack, cluster).urns


@every_way
@every_stack
def test_one_provider_makes_everything(stack: str, cluster: Mapping[str, Any]) -> None:
    """Every object goes to the cluster that settings name, by the provider of the stack."""
    recorded = program(stack, cluster)
    provider = recorded.one(PROVIDER)

    assert {each.provider.rsplit("::", 1)[0] for each in objects(recorded)} == {provider.urn}


@every_stack
def test_names_are_labels_of_dns(stack: str) -> None:
    """Every fixed name in the namespace can be part of a host name."""
    for each in objects(program(stack, EVERYTHING)):
        name = each.metadata.get("name", each.name)
        assert len(name) <= 63, name
        assert name.replace("-", "a").isalnum(), name


@every_stack
def test_the_app_runs_by_its_digest(stack: str) -> None:
    """What runs is what was built, whatever a tag means tomorrow."""
    recorded = program(stack, {})
    images = {
        (each.pod or {})["containers"][0]["image"] for each in objects(recorded) if each.pod and _of_the_app(each)
    }

    assert images == {f"registry.example.org/guestbook@{DIGEST}"}


def _of_the_app(each: Registered) -> bool:
    return each.labels["slipway.component"] in {"web", "migration", "static", "process-worker"}


def before(recorded: Recorded, name: str) -> set[str]:
    """Give the names of what makes pods, or is built, that are there before another, at any distance."""
    by_urn = {each.urn: each for each in recorded.resources}
    names = {each.urn: each.name for each in recorded.resources if each.pod or each.type == BUILT_IMAGE}
    todo = [urn for urn, each in names.items() if each == name]
    assert todo
    seen: set[str] = set()
    while todo:
        new = by_urn[todo.pop()].dependencies - seen
        seen |= new
        todo += new
    return {names[urn] for urn in seen if urn in names}


DATASTORES = {"postgres-server", "redis-server"}
RELEASE = {"app-build", *DATASTORES, "migration", "static-files"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("postgres-server", set()),
        ("redis-server", set()),
        ("edge-deployment", set()),
        ("migration", {"app-build", *DATASTORES}),
        ("static-files", RELEASE - {"static-files"}),
        ("web-deployment", RELEASE),
        ("process-worker-deployment", RELEASE),
        ("switch", {*RELEASE, "web-deployment", "process-worker-deployment", "edge-deployment"}),
    ],
)
def test_order(name: str, expected: set[str]) -> None:
    """Each step waits for all that it needs, and for nothing else: what comes after a failure does not happen."""
    assert before(program("prod", {}), name) == expected


@every_stack
def test_the_namespace_comes_first_and_goes_last(stack: str) -> None:
    """Everything in the namespace depends on it, on its policies and on its quota."""
    recorded = program(stack, EVERYTHING)
    by_urn = {each.urn: each for each in recorded.resources}
    (namespace,) = [each for each in objects(recorded) if each.kind == "Namespace"]
    (quota,) = [each for each in objects(recorded) if each.kind == "ResourceQuota"]
    rules = {each.urn for each in objects(recorded) if by_urn[each.parent].kind == "Namespace"}

    for each in objects(recorded):
        if each.urn not in rules:
            assert {namespace.urn, quota.urn} <= each.dependencies, each.urn


@every_stack
def test_only_what_nobody_serves_with_has_a_fixed_name(stack: str) -> None:
    """Secrets, configurations and steps have automatic names, so that another one comes up beside the old."""
    automatic = {each.kind for each in objects(program(stack, EVERYTHING)) if "name" not in each.metadata}

    assert automatic == {"Secret", "ConfigMap", "Job", "Service"}
    services = [
        each.name for each in objects(program(stack, {})) if each.kind == "Service" and "name" not in each.metadata
    ]
    assert services == ["switch-release"]


def test_data_is_protected_in_prod() -> None:
    """In prod, the claims of the database and the uploads cannot be deleted, nor the namespace that they are in."""
    kept = {(each.kind, each.metadata["name"]) for each in objects(program("prod", {})) if each.protect}

    assert kept == {
        ("Namespace", "guestbook-prod"),
        ("PersistentVolumeClaim", "postgres"),
        ("PersistentVolumeClaim", "media"),
    }
    assert not [each for each in objects(program("dev", {})) if each.protect or each.retain_on_delete]


def test_no_release_touches_what_serves_it() -> None:
    """Neither the datastores nor the edge know the release."""
    release = program("prod", {}).outputs["release"]
    knowing = {each.name for each in objects(program("prod", {})) if release in json.dumps(each.inputs)}

    assert knowing == {
        "migration",
        "static-files",
        "web-deployment",
        "process-worker-deployment",
        "switch",
    }
