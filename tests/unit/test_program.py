"""The whole program, for every stack file that is tracked: what there would be, without an engine or a daemon."""

import json
import runpy
from pathlib import Path

import pytest
import yaml

from components.docker.container import REPLACE_ON_CHANGES
from components.model import Target
from components.settings import ROOT
from tests.unit.harness import CONTAINER, NETWORK, REMOTE_IMAGE, STASH, VOLUME, Recorded, Registered, clear, run, secret

STACKS = {
    "dev": "dev.template.yaml",
    "staging": "Pulumi.staging.yaml",
    "prod": "Pulumi.prod.yaml",
    "review-7": "review.template.yaml",
}
REPLICAS = {"dev": 1, "staging": 2, "prod": 3, "review-7": 1}
VALUES = {f"secrets:{name}": f"the-value-of-{name}" for name in ("django_key", "postgres_password", "redis_password")}
ONCE = {"migration", "static", "switch"}
every_stack = pytest.mark.parametrize("stack", STACKS)
every_target = pytest.mark.parametrize("target", Target)
KINDS = {Target.DOCKER: (CONTAINER, VOLUME, NETWORK), Target.KUBERNETES: ("kubernetes:",)}
"""How the types begin that a target can label."""
HOLDS_SECRETS = {Target.DOCKER: {"uploads"}, Target.KUBERNETES: {"stringData"}}
"""The one input that has secret values in it."""

pytestmark = pytest.mark.usefixtures("nothing_of_this_machine")


def program(stack: str, *, preview: bool = False, target: Target = Target.DOCKER) -> Recorded:
    """Run the program of a stack file, with another target if need be, which is all that has to be said for that."""
    said = yaml.safe_load((ROOT / "stacks" / STACKS[stack]).read_text(encoding="utf-8"))["config"]
    if target is Target.KUBERNETES:
        said.pop("slipway:edge", None)  # the port of the review template
        said |= {"slipway:target": "kubernetes", "slipway:kubernetes": {"registry": "registry.example.org"}}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    return run(
        lambda: runpy.run_path(str(ROOT / "__main__.py")) and None,
        preview=preview,
        stack=stack,
        config={**config, **VALUES},
        secrets=list(VALUES),
    )


def running(recorded: Recorded) -> list[Registered]:
    """Give the containers that run something: all but those that only take secret files."""
    return [each for each in recorded.of(CONTAINER) if each.inputs.get("start", True)]


def labelled(recorded: Recorded, target: Target) -> list[Registered]:
    """Give what a target can label."""
    return [each for each in recorded.resources if each.type.startswith(KINDS[target])]


@every_target
@every_stack
def test_preview_registers_what_the_update_registers(stack: str, target: Target) -> None:
    """A preview leaves nothing out, so nothing is registered only when some output is known."""
    assert program(stack, preview=True, target=target).urns == program(stack, target=target).urns


@every_target
@every_stack
def test_names_are_unique(stack: str, target: Target) -> None:
    """No two resources have one URN, and no two of a kind have one name on the host or in the namespace."""
    recorded = program(stack, target=target)

    assert len(set(recorded.urns)) == len(recorded.urns)
    objects = [each for each in recorded.resources if each.type.startswith("kubernetes:")]
    fixed = [(each.type, each.metadata["name"]) for each in objects if "name" in each.metadata]
    assert len(set(fixed)) == len(fixed)
    for kind in (CONTAINER, VOLUME, NETWORK):
        names = [each.inputs["name"] for each in recorded.of(kind) if "name" in each.inputs]
        assert len(set(names)) == len(names)


@every_target
@every_stack
def test_nothing_is_outside_of_a_component(stack: str, target: Target) -> None:
    """Every resource belongs to a component, and the components to the stack."""
    recorded = program(stack, target=target)
    components = {each.urn for each in recorded.resources if not each.custom}

    assert {each.parent in components for each in recorded.resources if each.custom} == {True}
    assert {":".join(each.type.split(":")[:2]) for each in recorded.resources if not each.custom} == {
        f"slipway:{target}"
    }


@every_target
@every_stack
def test_everything_is_labelled(stack: str, target: Target) -> None:
    """Whatever can be labelled says whose it is, and no volume or network has a label that could ever change."""
    recorded = program(stack, target=target)

    assert len(labelled(recorded, target)) > 10
    for each in labelled(recorded, target):
        assert each.labels["slipway.project"] == "guestbook"
        assert each.labels["slipway.stack"] == stack
        assert each.labels["slipway.component"]
        if each.type in {VOLUME, NETWORK}:
            assert len(each.labels) == 3


@every_target
@every_stack
def test_secrets_are_nowhere_in_clear(stack: str, target: Target) -> None:
    """A secret value is only in inputs that are marked as secret: in the files, and nowhere else."""
    recorded = program(stack, target=target)
    held = set()
    for each in recorded.resources:
        for key, value in each.inputs.items():
            if "the-value-of" in json.dumps(clear(value)):
                held.add(key)
                assert secret(value), f"{each.urn}: {key}"

    assert held == HOLDS_SECRETS[target]
    assert all(secret(each.inputs["input"]) for each in recorded.of(STASH))
    assert "the-value-of" not in json.dumps(recorded.outputs)


@every_stack
def test_every_secret_reaches_a_file(stack: str) -> None:
    """The database, the cache and the app each get their own files, and no others."""
    files = {
        each.labels["slipway.component"]: {one["file"]: one["content"] for one in clear(each.inputs["uploads"])}
        for each in program(stack).of(CONTAINER)
        if "uploads" in each.inputs
    }
    in_cluster = {
        each.labels["slipway.component"]: {
            f"/run/secrets/{name}": value.replace("@postgres:", f"@guestbook-{stack}-postgres:").replace(
                "@redis:", f"@guestbook-{stack}-redis:"
            )
            for name, value in clear(each.inputs["stringData"]).items()
        }
        for each in program(stack, target=Target.KUBERNETES).of("kubernetes:core/v1:Secret")
    }
    prefix = f"guestbook-{stack}"

    assert in_cluster == files
    assert files == {
        "postgres-secrets": {"/run/secrets/postgres_password": "the-value-of-postgres_password"},
        "redis-secrets": {"/run/secrets/redis.conf": 'requirepass "the-value-of-redis_password"\nsave ""\n'},
        "app-secrets": {
            "/run/secrets/secret_key": "the-value-of-django_key",
            "/run/secrets/database_url": (
                f"postgresql://app:the-value-of-postgres_password@{prefix}-postgres:5432/app"
            ),
            "/run/secrets/redis_url": f"redis://:the-value-of-redis_password@{prefix}-redis:6379/0",
        },
    }


@every_stack
def test_data_is_protected_in_prod(stack: str) -> None:
    """In prod, the volumes of the database and the uploads cannot be deleted; elsewhere they go with the stack."""
    protected = {each.inputs["name"] for each in program(stack).of(VOLUME) if each.protect and each.retain_on_delete}
    in_cluster = {
        (each.kind, each.metadata["name"])
        for each in labelled(program(stack, target=Target.KUBERNETES), Target.KUBERNETES)
        if each.protect and each.retain_on_delete
    }

    assert protected == ({"guestbook-prod-postgres", "guestbook-prod-media"} if stack == "prod" else set())
    assert in_cluster == (
        {
            ("Namespace", "guestbook-prod"),
            ("PersistentVolumeClaim", "postgres"),
            ("PersistentVolumeClaim", "media"),
        }
        if stack == "prod"
        else set()
    )


@every_stack
def test_only_the_edge_publishes_a_port(stack: str) -> None:
    """One container has one port on the host, on the loopback address unless settings say otherwise."""
    (edge,) = [each for each in program(stack).of(CONTAINER) if each.inputs.get("ports")]

    assert edge.labels["slipway.component"] == "edge"
    assert [each["ip"] for each in edge.inputs["ports"]] == ["127.0.0.1"]


@every_stack
def test_only_the_edge_network_has_a_way_out(stack: str) -> None:
    """Datastores and the migration are on the internal network alone, the edge on its own alone, web on both."""
    prefix = f"guestbook-{stack}"
    networks: dict[str, set[str]] = {}
    for each in running(program(stack)):
        joined = {one["name"].removeprefix(f"{prefix}-") for one in each.inputs.get("networksAdvanced", [])}
        networks.setdefault(each.labels["slipway.component"], set()).update(joined)

    assert networks == {
        "postgres": {"internal"},
        "redis": {"internal"},
        "migration": {"internal"},
        "static": set(),
        "web": {"edge", "internal"},
        "edge": {"edge"},
        "switch": {"edge"},
    }


@every_stack
def test_every_container_is_hardened(stack: str) -> None:
    """Read-only root, no capabilities, no new privileges, a numeric user, limits, grace, bounded logs."""
    for each in running(program(stack)):
        inputs = each.inputs
        assert inputs["readOnly"] is True
        assert inputs["capabilities"] == {"drops": ["ALL"]}
        assert inputs["securityOpts"] == ["no-new-privileges:true"]
        assert all(part.isdecimal() for part in inputs["user"].split(":"))
        assert inputs["memory"] == inputs["memorySwap"]
        assert inputs["cpus"]
        assert inputs["init"] is True
        assert inputs["destroyGraceSeconds"] > 0
        assert inputs["logOpts"] == {"max-size": "10m", "max-file": "3"}
        assert each.replace_on_changes == REPLACE_ON_CHANGES
        once = each.labels["slipway.component"] in ONCE
        assert inputs["restart"] == ("no" if once else "unless-stopped")
        assert ("healthcheck" in inputs) == (not once)
        assert inputs["wait"] == (not once)


@every_stack
def test_only_fixed_names_are_deleted_first(stack: str) -> None:
    """What a release replaces comes up beside what it replaces."""
    first = {each.labels["slipway.component"] for each in program(stack).of(CONTAINER) if each.deletes_first}

    assert first == {"postgres", "redis", "edge"}


@every_stack
def test_nothing_is_deleted_because_a_fixed_name_is(stack: str) -> None:
    """No container takes an input from one that is deleted first: the engine would delete it before that one."""
    recorded = program(stack)
    fixed = [each.urn for each in recorded.of(CONTAINER) if each.deletes_first]

    for each in recorded.of(CONTAINER):
        for inputs in each.property_dependencies.values():
            assert not inputs & set(fixed), each.urn


@every_stack
def test_replicas(stack: str) -> None:
    """There are as many web containers as settings say."""
    web = [each for each in program(stack).of(CONTAINER) if each.labels["slipway.component"] == "web"]

    assert len(web) == REPLICAS[stack]


@every_target
@every_stack
def test_exports(stack: str, target: Target) -> None:
    """What the stack tells is known before anything runs, and nothing secret."""
    outputs = program(stack, preview=True, target=target).outputs
    registry = {Target.DOCKER: "", Target.KUBERNETES: "registry.example.org/"}[target]

    assert set(outputs) == {"app", "url", "release", "image"}
    assert outputs["app"] == "guestbook"
    assert outputs["image"] == f"{registry}guestbook:{outputs['release']}"
    assert len(outputs["release"]) == 12


@every_target
@every_stack
def test_nothing_names_a_machine(stack: str, target: Target) -> None:
    """No input holds a path of this machine: the state is the same wherever the update ran."""
    for each in program(stack, target=target).resources:
        assert str(Path.home()) + "/" not in json.dumps(clear(each.inputs))
        assert str(ROOT) not in json.dumps(clear(each.inputs))


@every_stack
def test_images_are_kept(stack: str) -> None:
    """Images stay on the host, for a way back."""
    assert {each.inputs["keepLocally"] for each in program(stack).of(REMOTE_IMAGE)} == {True}


def test_main_is_short() -> None:
    """The entry names no resource and no stack."""
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) < 40
