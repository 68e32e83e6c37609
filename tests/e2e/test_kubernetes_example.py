"""The example project on a real cluster: what is served, what is hardened, what a second ``up`` and a release do.

The stack is shared with the modules after this one. What a visitor sees is tested by the same tests as on Docker.
"""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import REFUSED, Cluster, Object, RefusedError, wait
from tests.e2e.cluster_load import outside, pod
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.test_up import (  # noqa: F401 - the same tests, with the stack of this module
    test_a_row_is_written_into_postgres,
    test_an_upload_is_served_by_the_edge,
    test_health_covers_the_database_and_the_cache,
    test_static_files_have_hashed_names_and_are_cached_for_ever,
    test_the_page_comes_through_the_edge,
    test_visits_are_counted_in_redis,
)

pytestmark = pytest.mark.cluster

WORKLOADS = ("deployments", "statefulsets", "jobs")


@pytest.fixture(scope="module")
def site(guestbook: ClusterSite) -> ClusterSite:
    """The stack that is up."""
    return guestbook


@pytest.fixture(autouse=True)
def logs(site: ClusterSite, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the pods logged when a test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()


def templates(site: ClusterSite) -> dict[str, Object]:
    """What every pod is made from."""
    there = site.cluster.everything(site.namespace)
    return {name: each["spec"]["template"] for name, each in there.items() if name.startswith(WORKLOADS)}


def containers(spec: Object) -> list[Object]:
    """Every container of a pod."""
    return [*spec.get("initContainers", []), *spec["containers"]]


def test_every_pod_is_admitted_under_the_restricted_standard(site: ClusterSite) -> None:
    """The namespace enforces it: everything that runs was admitted, and a pod that asks for more is not."""
    namespace = site.cluster.get("namespaces", None, site.namespace)
    assert {
        mode: namespace["metadata"]["labels"].get(f"pod-security.kubernetes.io/{mode}")
        for mode in ("enforce", "audit", "warn")
    } == dict.fromkeys(("enforce", "audit", "warn"), "restricted")
    assert {each["metadata"]["labels"]["slipway.component"] for each in site.pods()} >= {
        "web",
        "edge",
        "postgres",
        "redis",
    }

    loose = pod("loose", ["true"], container={"securityContext": {"privileged": True}})
    with pytest.raises(RefusedError, match='violates PodSecurity "restricted') as refused:
        site.cluster.make("pods", site.namespace, loose, dryRun="All")
    assert refused.value.status == REFUSED


def test_every_container_is_hardened(site: ClusterSite) -> None:
    """More than the standard asks: read-only roots, limits, images by digest, and no service account's token."""
    found = templates(site)
    assert len(found) >= 7

    for name, template in found.items():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert not spec.get("hostNetwork"), name
        assert spec["enableServiceLinks"] is False, name
        for each in containers(spec):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert set(each["resources"]["limits"]) >= {"cpu", "memory"}, name
            assert re.search(r"@sha256:[0-9a-f]{64}$|:[\w.-]+$", each["image"]), name
    web = found["deployments/web"]["spec"]["containers"][0]
    assert re.search(r"@sha256:[0-9a-f]{64}$", web["image"])
    for each in site.pods():
        sources = [
            source for volume in each["spec"]["volumes"] for source in volume.get("projected", {}).get("sources", [])
        ]
        assert not any("serviceAccountToken" in source for source in sources), each["metadata"]["name"]


def test_every_object_is_labelled(site: ClusterSite) -> None:
    """Whatever is in the namespace says whose it is, the pods of a release say which."""
    there = site.cluster.everything(site.namespace)

    assert not [
        name
        for name, each in there.items()
        if (each["metadata"].get("labels") or {}).get("slipway.stack") != site.stack
        or not each["metadata"]["labels"].get("slipway.component")
    ]
    assert site.cluster.get("namespaces", None, site.namespace)["metadata"]["labels"]["slipway.stack"] == site.stack
    assert site.releases() == {site.version()["release"]}


def test_the_server_took_every_policy(site: ClusterSite) -> None:
    """Nothing may come in or go out that no policy allows, and each relation has one."""
    policies = site.cluster.all("networkpolicies", site.namespace)

    [deny] = [
        each
        for each in policies
        if not each["spec"].get("podSelector") and not each["spec"].get("ingress") and not each["spec"].get("egress")
    ]
    assert set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert len(policies) > 8
    budgets = {
        each["metadata"]["name"]: each["status"] for each in site.cluster.all("poddisruptionbudgets", site.namespace)
    }
    assert {"web", "edge"} <= set(budgets)
    assert all(budgets[name]["disruptionsAllowed"] == 1 for name in ("web", "edge"))
    quota = site.cluster.all("resourcequotas", site.namespace)
    assert len(quota) == 1
    assert set(quota[0]["status"]["used"]) == set(quota[0]["spec"]["hard"])


def test_a_stranger_reaches_the_edge_alone(site: ClusterSite, cluster: Cluster) -> None:
    """From another namespace the edge answers; database, cache and application do not."""
    namespace = outside(cluster)
    asks = (
        "import socket\n"
        "def answers(host, port):\n"
        "    try:\n"
        "        socket.create_connection((host, port), 3).close()\n"
        "    except OSError as error:\n"
        "        return type(error).__name__\n"
        "    return 'open'\n"
        f"print({{n: answers(f'{{n}}.{site.namespace}.svc', p) for n, p in "
        "(('edge', 80), ('postgres', 5432), ('redis', 6379), ('web', 8000))})\n"
    )
    cluster.make("pods", namespace, pod("stranger", ["python3", "-c", asks]))
    try:
        wait(
            "the stranger has asked",
            lambda: cluster.get("pods", namespace, "stranger")["status"]["phase"] == "Succeeded",
        )
        said = cluster.log(namespace, "stranger").strip()
    finally:
        cluster.remove("pods", namespace, "stranger", grace=0)
    print(f"figure: a stranger finds {said}")
    assert "'edge': 'open'" in said
    assert said.count("'open'") == 1


def test_no_secret_is_found_in_clear(site: ClusterSite) -> None:
    """Not in the state, not in any object but Secrets, not in the pods' environment, not in logs or events."""
    secrets = [site.secret(name) for name in ("django_key", "postgres_password", "redis_password")]
    places = {
        str(path.relative_to(site.folder)): path.read_text(errors="replace")
        for folder in (site.state, site.root / ".slipway", site.root / "stacks")
        for path in folder.rglob("*")
        if path.is_file()
    }
    for name, each in site.cluster.everything(site.namespace).items():
        if not name.startswith("secrets/"):
            places[name] = json.dumps(each)
    for each in site.pods():
        name = each["metadata"]["name"]
        places[f"log of {name}"] = site.cluster.log(site.namespace, name)
    places["events"] = json.dumps(site.cluster.all("events", site.namespace))
    # The entrypoint of the Postgres image puts its own password there itself, for its own user alone.
    for component in ("web", "edge", "redis"):
        places[f"environment of {component}"] = site.execute(component, "cat", "/proc/1/environ")

    assert all(len(secret) > 20 for secret in secrets)
    assert len(places) > 30
    assert not [name for name, text in places.items() for secret in secrets if secret in text]


def test_a_second_up_changes_and_restarts_nothing(site: ClusterSite) -> None:
    """Every pod keeps its identity, every object its version, and Pulumi counts no change."""
    pods, versions = site.running(), site.versions()

    done = site.up().good()

    assert site.running() == pods
    assert site.versions() == versions
    assert re.search(r"\d+ unchanged", done.text)
    assert not re.search(r"^ +[+~-]+ \d+ ", done.text, re.MULTILINE), done.text
    print(f"figure: empty up {done.seconds:.1f} s")


def test_a_preview_shows_no_change_and_a_doctor_finds_nothing(site: ClusterSite) -> None:
    """When everything is as it should be, both say so."""
    preview = site.pipeline("preview", site.stack).good().text
    assert re.search(r"\d+ unchanged", preview)
    assert not re.search(r"to (create|update|replace|delete)", preview), preview

    report = json.loads(site.pipeline("doctor", site.stack, "--json").good().text)
    names = {finding["name"] for finding in report}
    assert {"settings", "secrets", "state", "postgres", "redis", "web", "edge", "page"} <= names


def test_a_changed_line_arrives(site: ClusterSite) -> None:
    """Only what depends on the code is replaced; data, cache and edge keep running, in the same pods."""
    before = site.running()
    kept = {name: uid for name, uid in before.items() if name.startswith(("postgres", "redis", "edge"))}
    assert len(kept) == 4
    site.set_version("2.0.0")

    preview = site.pipeline("preview", site.stack).good().text
    done = site.up().good()

    assert re.search("to (replace|update)", preview)
    assert site.version()["version"] == "2.0.0"
    now = site.running()
    assert {name: now.get(name) for name in kept} == kept
    assert not {name for name in before if name.startswith("web")} & set(now)
    assert site.sql("select name from guestbook_entry where message = 'row-4711'") == ["Ada"]
    print(f"figure: a changed line {done.seconds:.1f} s")


def test_kubectl_finds_what_the_labels_say(site: ClusterSite) -> None:
    """A person finds everything of a stack by one label, without knowing a name."""
    done = subprocess.run(
        site.cluster.kubectl("get", "pods", "-A", "-l", f"slipway.stack={site.stack}", "-o", "name"),
        env=site.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert len(done.stdout.split()) >= 6
