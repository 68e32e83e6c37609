"""Drift on a cluster: whatever somebody did by hand is found, and healed while visitors are served."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import MERGE, wait
from tests.e2e.cluster_load import LIGHT, ClusterLoad
from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import Done

pytestmark = pytest.mark.cluster

DRIFT = 3
JSON = "application/json-patch+json"
SCALED = {"enabled": True, "min": 2, "max": 3, "cpu_percent": 60}
BY_THE_CLOCK = {"tick": {"command": "python manage.py check", "schedule": "* * * * *"}}


@pytest.fixture(autouse=True)
def logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the pods logged when a test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before and "guestbook" in request.fixturenames:
        request.getfixturevalue("guestbook").print_logs()


def drift(site: ClusterSite, *arguments: str, code: int = DRIFT, **environ: str) -> Done:
    """Look for drift, and insist on what comes of it."""
    done = site.pipeline("drift", site.stack, *arguments, **environ)
    assert done.code == code, f"exit code {done.code} instead of {code}:\n{done.text}"
    assert "Traceback" not in done.text
    return done


def none(site: ClusterSite) -> None:
    """Insist that nothing differs."""
    assert "No drift: " in drift(site, code=0).text


def lines(done: Done) -> list[str]:
    """The differences."""
    return sorted(line for line in done.text.splitlines() if ": declared " in line)


def labelled(site: ClusterSite, component: str) -> dict[str, str]:
    """The labels of what belongs to a component."""
    return {"slipway.project": "e2e", "slipway.stack": site.stack, "slipway.component": component}


def test_what_was_done_by_hand_is_found_and_healed(guestbook: ClusterSite) -> None:
    """A limit, a rule, an extra object, one that is gone: found without the passphrase, all healed, none noticed."""
    site, there = guestbook, guestbook.cluster
    drift(site, "--heal", code=0)  # tests of rules have taken them away and put others of the same names there
    none(site)
    limits = {"containers": [{"name": "edge", "resources": {"limits": {"cpu": "200m"}}}]}
    there.change("deployments", site.namespace, "edge", {"spec": {"template": {"spec": limits}}})
    open_door = [{"op": "add", "path": "/spec/ingress/1", "value": {}}]
    there.change("networkpolicies", site.namespace, "edge-to-web-8000-in", open_door, JSON)  # type: ignore[arg-type] # a list is JSON, too
    there.remove("poddisruptionbudgets", site.namespace, "web")
    there.make("configmaps", site.namespace, {"metadata": {"name": "copy", "labels": labelled(site, "edge")}})
    site.settle("edge", 240)

    found = drift(site, PULUMI_CONFIG_PASSPHRASE="not the one")
    assert lines(found) == [
        "edge (ConfigMap copy): state: declared nothing, found an object that Pulumi did not make",
        "edge (Deployment edge): spec.template.spec.containers[edge].resources.limits.cpu: "  # noqa: ISC004 - one text
        'declared "250m", found "200m"',
        'web (NetworkPolicy edge-to-web-8000-in): spec.ingress[1]: declared nothing, found "{}"',
        "web (PodDisruptionBudget web): state: declared there, found no such object",
    ]
    web = site.serving()

    with ClusterLoad(cluster=there, namespace=site.namespace, kinds=LIGHT) as visitors:
        healed = drift(site, "--heal", code=0)
        visitors.wait_for(50)

    assert visitors.failures == []
    assert "No drift: " in healed.text
    assert site.serving() == web, "what did not differ is as it was"
    assert there.find("configmaps", site.namespace, "copy") is None


@pytest.mark.long
def test_what_runs_is_another_one(guestbook: ClusterSite) -> None:
    """An image, variables, a probe, a sidecar and an annotation of the pods: named, no value shown, healed without a gap."""
    site, there = guestbook, guestbook.cluster
    image = there.get("deployments", site.namespace, "edge")["spec"]["template"]["spec"]["containers"][0]["image"]
    web = {
        "name": "web",
        "readinessProbe": {"periodSeconds": 7},
        "env": [{"name": "DJANGO_SETTINGS_MODULE", "value": "config.settings "}, {"name": "TOKEN", "value": "hunter2"}],
    }
    sidecar = {
        "name": "look",
        "image": image,
        "command": ["sleep", "1000"],
        "resources": {"limits": {"cpu": "50m", "memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    template = {"metadata": {"annotations": {"who": "me"}}, "spec": {"containers": [sidecar, {"name": "edge"}]}}
    there.change("deployments", site.namespace, "edge", {"spec": {"template": template}})
    web["env"] = web["env"][1:]  # type: ignore[index] # a list
    there.change("deployments", site.namespace, "web", {"spec": {"template": {"spec": {"containers": [web]}}}})
    site.settle("edge", 240)
    site.settle("web", 240)

    found = drift(site)
    assert lines(found) == [
        'edge (Deployment edge): spec.template.metadata.annotations.who: declared nothing, found "me"',
        f'edge (Deployment edge): spec.template.spec.containers[look]: declared nothing, found image "{image}"',
        "web (Deployment web): spec.template.spec.containers[web].env[TOKEN]: declared nothing, found [not shown]",
        'web (Deployment web): spec.template.spec.containers[web].readinessProbe.periodSeconds: declared "5", found "7"',
    ]
    assert "hunter2" not in found.text

    with ClusterLoad(cluster=there, namespace=site.namespace, kinds=LIGHT) as visitors:
        drift(site, "--heal", code=0)
        visitors.wait_for(50)
    assert visitors.failures == []
    none(site)


@pytest.mark.long
def test_a_secret_and_a_service(guestbook: ClusterSite) -> None:
    """A Secret made by hand is known by who made it; a Service made again is found by the edge, which knew its address."""
    site, there = guestbook, guestbook.cluster
    name = next(
        str(each["metadata"]["name"])
        for each in there.all("secrets", site.namespace, "slipway.component=redis-secrets")
    )
    old = there.get("secrets", site.namespace, name)
    metadata = {key: old["metadata"][key] for key in ("name", "labels", "annotations")}
    key = next(iter(old["data"]))
    there.remove("secrets", site.namespace, name)
    there.make(
        "secrets", site.namespace, {**old, "metadata": metadata, "data": {**old["data"], key: "aHVudGVyMg=="}},
        fieldManager="kubectl-create",
    )  # fmt: skip
    there.remove("services", site.namespace, "web")

    document = drift(site, "--format", "json").text
    found = json.loads(document[document.index("{") :])["differences"]
    assert {(each["component"], each["name"], each["property"], each["heal"]) for each in found} >= {
        ("redis-secrets", f"Secret {name}", "identity", "replaced"),
        ("redis-secrets", f"Secret {name}", f"data[{key}]", "replaced"),
        ("web", "Service web", "state", "made again"),
    }
    assert "hunter2" not in document
    assert "aHVudGVyMg" not in document

    drift(site, "--heal", code=0)
    assert site.ask("/").status == 200
    assert there.find("secrets", site.namespace, name) is None
    none(site)

    there.remove("services", site.namespace, "web")
    assert "Service web: not running; Pulumi looks at what is really there first" in site.up().good().text
    assert site.ask("/").status == 200
    none(site)


@pytest.mark.long
def test_a_claim_that_is_gone(guestbook: ClusterSite) -> None:
    """It is not made anew unless somebody says so; then what runs is given the new one."""
    site, there = guestbook, guestbook.cluster
    there.remove("persistentvolumeclaims", site.namespace, "media")
    assert lines(drift(site)) == [
        "media (PersistentVolumeClaim media): state: declared there, found being deleted, once no pod uses it"
    ]
    there.change("persistentvolumeclaims", site.namespace, "media", {"metadata": {"finalizers": None}}, MERGE)
    gone = "media (PersistentVolumeClaim media): no such object; its data is gone"
    refused = drift(site, "--heal", code=1)
    assert gone in refused.text
    assert there.find("persistentvolumeclaims", site.namespace, "media") is None

    drift(site, "--heal", "--new-volumes", code=0)
    assert site.execute("web", "ls", "-d", "/app/media").strip() == "/app/media"
    none(site)


@pytest.mark.long
def test_what_is_no_drift(make_cluster_site: Callable[..., ClusterSite]) -> None:
    """A stack just up, a second release, an autoscaler and a CronJob at work, pods started again by hand."""
    site = make_cluster_site("calm", web={"replicas": 2}, kubernetes={"autoscale": SCALED}, processes=BY_THE_CLOCK)
    site.secrets().up().good()
    none(site)

    site.set_version("2.0.0")
    site.up().good()
    none(site)

    site.cluster.change("horizontalpodautoscalers", site.namespace, "web", {"spec": {"minReplicas": 3}}, MERGE)
    wait("there are three", lambda: site.scaled() == 3, 90, pause=1)
    site.settle("web", 240)
    site.cluster.change("horizontalpodautoscalers", site.namespace, "web", {"spec": {"minReplicas": 2}}, MERGE)
    none(site)

    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}
    site.cluster.change("deployments", site.namespace, "web", {"spec": {"template": restarted}})
    site.settle("web", 240)

    def ran() -> bool:
        jobs = site.cluster.all("jobs", site.namespace)
        return any("tick" in each["metadata"]["name"] and each["status"].get("succeeded") for each in jobs)

    wait("the CronJob ran", ran, 120, pause=1)
    none(site)


def test_a_cluster_that_does_not_answer(guestbook: ClusterSite) -> None:
    """One clear error, and the exit code that is not the one of drift."""
    away = guestbook.kubeconfig("away", cluster={"server": "https://127.0.0.1:1"})
    done = drift(guestbook, code=1, KUBECONFIG=str(away))
    assert "does not answer: connection refused" in done.text
