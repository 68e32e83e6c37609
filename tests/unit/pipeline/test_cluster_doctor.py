"""What the doctor says of a cluster, of the pods of a stack, and of its page."""

import pytest

from pipeline.cluster import doctor, page
from pipeline.console import PipelineError
from pipeline.engine import Engine
from pipeline.page import Page
from pipeline.target import Finding
from tests.unit.pipeline.fake_cluster import HOME, Api, listed, node, of, ours
from tests.unit.pipeline.fake_pulumi import Fake
from tests.unit.pipeline.test_cluster_failed import CRASHED, RAN, READY, container, pod


@pytest.fixture(autouse=True)
def _no_state(fake: Fake) -> None:
    """The stack is not up."""
    fake.when("stack export", err="error: no stack named 'dev' found", code=255)


def test_a_cluster_that_has_everything(outside: Engine, api: Api) -> None:
    """Each thing on a line of its own."""
    api.answers["/apis/metrics.k8s.io/v1beta1"] = {"resources": [{"name": "pods"}]}
    findings = list(doctor.platform(outside, of(api)))

    assert [(each.name, each.state, each.detail) for each in findings] == [
        ("kubeconfig", "ok", outside.environ["KUBECONFIG"]),
        ("context", "ok", "fake, the current one"),
        ("cluster", "ok", f"v1.34.1 at {api.url}"),
        ("node", "ok", "vm is Ready, 2 cores and 8Gi for pods"),
        ("storage classes", "ok", "local-path (default)"),
        ("ingress classes", "note", "none"),
        ("metrics API", "ok", "there"),
        ("registry", "ok", f"127.0.0.1:{api.server_port} answers"),
    ]


def test_what_a_cluster_does_not_have(outside: Engine, api: Api) -> None:
    """Each with the command that mends it."""
    broken = node("gone")
    broken["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    api.answers["/api/v1/nodes"] = listed(broken, node("tainted", taints=[{"effect": "NoExecute"}]))
    found = {each.name: each for each in doctor.platform(outside, of(api, autoscale={"enabled": True}))}

    nodes = [each for each in doctor.platform(outside, of(api)) if each.name == "node"]
    assert [(each.state, each.detail, each.mend) for each in nodes] == [
        ("broken", "gone is not Ready", "kubectl --context fake describe node gone"),
        (
            "note",
            "tainted is Ready and takes no pods (cordoned or tainted)",
            "kubectl --context fake describe node tainted",
        ),
    ]
    assert found["metrics API"] == Finding(
        "metrics API", "broken", "missing: nothing is scaled", "install metrics-server; `make cluster` brings it"
    )
    assert found["cluster"].detail == "the cluster of context fake has no node that takes pods (2 nodes)"


def test_without_settings_only_the_kubeconfig_is_looked_at(outside: Engine) -> None:
    """They name the context."""
    assert [each.state for each in doctor.platform(outside, None)] == ["ok", "note"]
    assert list(doctor.running(outside, None)) == []


def test_no_kubeconfig_is_a_problem(engine: Engine, api: Api) -> None:
    """Which the command prints like any other."""
    with pytest.raises(PipelineError, match="there is no kubeconfig"):
        list(doctor.platform(engine, of(api)))


def test_every_pod_of_the_stack(outside: Engine, api: Api) -> None:
    """What is wrong with one is said in the words that a failed update has for it."""
    ending = pod("ending", phase="Running")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    bad = pod("bad", phase="Running", **container(CRASHED, ready=False, **RAN))
    api.answers[f"{HOME}/pods"] = listed(READY, bad, ending, pod("done", "migration", phase="Succeeded"), pod("new"))
    api.answers[f"{HOME}/persistentvolumeclaims"] = listed(ours("media", "media", status={"phase": "Bound"}))

    assert list(doctor.running(outside, of(api))) == [
        Finding("web", "ok", "old is ready"),
        Finding(
            "web",
            "broken",
            "bad ended with exit code 1, 2 times",
            "kubectl --context fake -n shop-dev logs bad -c web --previous",
        ),
        Finding("web", "ok", "ending is ending"),
        Finding("migration", "ok", "done has done its work"),
        Finding("web", "note", "new is starting", "kubectl --context fake -n shop-dev describe pod new"),
    ]


def test_a_stack_without_pods(outside: Engine, api: Api) -> None:
    """It may never have been up."""
    [finding] = doctor.running(outside, of(api))
    assert finding.state == "note"
    assert finding.detail == "none with slipway.project=shop,slipway.stack=dev in namespace shop-dev"


@pytest.mark.parametrize(
    ("answer", "state", "detail"),
    [
        (Page("http://x/", 200, 0.012), "ok", "http://x/ answers 200 in 12 ms"),
        (Page("http://x/", 502, 0.012), "broken", "http://x/ answers 502"),
        (Page("http://x/", None, 0, "no edge"), "broken", "http://x/ does not answer: no edge"),
    ],
)
def test_the_page(  # noqa: PLR0913, PLR0917 - what pytest hands over
    outside: Engine, api: Api, monkeypatch: pytest.MonkeyPatch, answer: Page, state: str, detail: str
) -> None:
    """What it answers, and how to see it."""
    api.answers[f"{HOME}/pods"] = listed(READY)
    monkeypatch.setattr(page, "through", lambda *_: answer)
    [finding] = doctor.served(outside, of(api))
    assert (finding.state, finding.detail) == (state, detail)
    assert finding.mend is not None


def test_nothing_is_served_where_nothing_runs(outside: Engine, api: Api) -> None:
    """That is no fault."""
    [finding] = doctor.served(outside, of(api))
    assert finding == Finding("page", "note", "nothing is served there")
