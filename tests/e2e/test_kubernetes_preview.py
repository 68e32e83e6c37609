"""The preview report of a real stack on a real cluster: what a team changes, told as people name it, and true of the update."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.cluster_site import SMALL, ClusterSite

pytestmark = pytest.mark.cluster

KEYLESS = ("env", "-u", "PULUMI_CONFIG_PASSPHRASE", "python", "-m", "pipeline")
SAME = ("target", "outcome", "release", "counts", "dangers", "components", "images", "cost", "picture")
"""What no key is needed for, where no secret changes."""


@pytest.fixture
def site(guestbook: ClusterSite) -> Iterator[ClusterSite]:
    """The stack that is up, with its file as it was afterwards."""
    path = guestbook.root / "stacks" / f"Pulumi.{guestbook.stack}.yaml"
    kept = path.read_text()
    yield guestbook
    path.write_text(kept)


def changed(site: ClusterSite, **settings: dict[str, Any]) -> None:
    """Change settings of the stack that is up, and nothing else."""
    wanted: dict[str, dict[str, Any]] = {"web": {"replicas": 2}, "kubernetes": {"edge_replicas": 2}}
    site.set(**{group: {**wanted.get(group, {}), **settings.get(group, {})} for group in {*wanted, *settings}})


def shown(site: ClusterSite, *options: str, keys: bool = True, **environ: str) -> dict[str, Any]:
    """The report as programs read it."""
    path = site.folder / "report.json"
    command = ("python", "-m", "pipeline") if keys else KEYLESS
    arguments = ("preview", site.stack, "--format", "json", "--output", str(path), *options)
    site.run(*command, *arguments, **environ).good()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def told(report: dict[str, Any]) -> dict[str, str]:
    """What changes, by component."""
    return {each["name"]: ", ".join(each["changes"]) for each in report["components"]}


def test_a_release_is_told_alike_with_and_without_the_keys(site: ClusterSite) -> None:
    """No hash, no property of an object, no rule of the network; and nothing of it changes the cluster."""
    changed(
        site,
        app={"environment": {"CACHE_TTL": "300"}},
        web={"replicas": 3},
        redis={"resources": {"memory_mb": 96, "cpus": 0.1}},
    )

    with site.nothing_changes():
        whole = shown(site)
        blind = shown(site, "--without-secrets", keys=False)

    assert {key: blind[key] for key in SAME} == {key: whole[key] for key in SAME}
    release = whole["release"]["after"]
    said = told(whole)
    limits = said.pop("namespace")
    assert limits.startswith("limits follow: CPU ")
    assert f":{release} is built, instead of " in said.pop("image of the app")
    assert said == {
        "web": f"3 pods roll to release {release}, replicas 2 to 3, environment CACHE_TTL is new: 300",
        "migration": f"runs again for release {release}",
        "static files": f"runs again for release {release}",
        "switch": f"runs again for release {release}",
        "redis": "1 pod is restarted, command --maxmemory 48mb to 72mb, memory 64 to 96 MB",
    }
    assert whole["dangers"] == [
        {
            "kind": "downtime",
            "component": "redis",
            "text": "its pod is restarted: pages that need the cache fail until the new one answers",
        }
    ]
    assert (whole["cost"]["before"]["containers"], whole["cost"]["after"]["containers"]) == (6, 7)


def test_dangers_of_a_cluster_come_first_and_a_job_can_tell(site: ClusterSite) -> None:
    """Another PostgreSQL that does not read the data, and a door to the outside: exit code 4."""
    changed(site, postgres={"image": "postgres:16"}, kubernetes={"expose": "node_port"})

    report = site.folder / "report.md"
    found = site.pipeline("preview", site.stack, "--format", "markdown", "--output", str(report), "--exit-code")

    assert found.code == 4
    _, _, dangers = report.read_text().partition("### Dangers\n\n")
    first, second, *_ = dangers.splitlines()
    assert first.startswith("- **Data**, `postgres`: postgres:17 becomes postgres:16: a server of one major version")
    assert second == "- **Open to others**, `edge`: port 80 is opened by every node"
    assert not [
        each for each in ("urn:pulumi", "slipway.declared", site.secret("postgres_password")) if each in dangers
    ]


def test_a_cluster_that_does_not_answer_is_told(site: ClusterSite) -> None:
    """Settings and state are compared all the same."""
    away = site.kubeconfig("away", cluster={"server": "https://127.0.0.1:1"})
    changed(site)

    report = shown(site, KUBECONFIG=str(away))

    assert report["outcome"] == "unchanged"
    assert report["notes"][0].startswith("The cluster was not asked, and settings and state alone tell: ")


@pytest.mark.long
def test_what_is_told_is_what_happens(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """Pods that only become more go on running; a volume that is to shrink is refused by the cluster, and named."""
    volume = {"reports": {"path": "/srv/reports", "size_gb": 2}}
    site = make_cluster_site("preview", volumes=volume).secrets()
    site.up().good()
    before = site.serving()

    site.set(volumes=volume, web={**SMALL["web"], "replicas": 2})
    assert told(shown(site))["web"] == "scales from 1 to 2 pods"
    site.up().good()
    assert before < site.serving()

    site.set(volumes={"reports": {"path": "/srv/reports", "size_gb": 1}}, web={**SMALL["web"], "replicas": 2})
    report = site.folder / "report.json"
    with site.nothing_changes():
        refused = site.pipeline("preview", site.stack, "--format", "json", "--output", str(report)).bad()
    assert refused.code == 1
    made = json.loads(report.read_text())
    assert made["problems"][0]["found"] == (
        "slipway:volumes.reports.size_gb: the claim volume-reports was to become smaller, which no storage can; "
        "nothing was lost"
    )
    assert [each["text"] for each in made["dangers"]] == [
        "the claim volume-reports is to shrink from 2 to 1 GB, which no storage can: the update fails"
    ]
