"""What a failed update leaves to read in a cluster, from recorded answers of an API server."""

from typing import Any

import pytest

from pipeline.cluster import failed, words
from pipeline.console import PipelineError
from pipeline.engine import Engine
from tests.unit.pipeline.fake_cluster import APPS, HOME, Api, event, listed, of, ours, secret
from tests.unit.pipeline.fake_pulumi import printed

SAID = "error: the Kubernetes API server reported that it failed to fully initialize or become live"
KUBECTL = "kubectl --context fake -n shop-dev"


def pod(name: str, component: str = "web", **status: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A pod of the stack."""
    spec = {"containers": [{"name": component, "resources": {"limits": {"memory": "512Mi"}}}]}
    return ours(name, component, spec=spec, status=status)


def container(state: dict[str, Any], name: str = "web", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What the kubelet says of its one container."""
    return {"containerStatuses": [{"name": name, "state": state, **more}]}


READY = pod("old", phase="Running", conditions=[{"type": "Ready", "status": "True"}])


def told(engine: Engine, api: Api, *pods: dict[str, Any], said: str = SAID) -> PipelineError | None:
    """What is made of these pods."""
    api.answers[f"{HOME}/pods"] = listed(*pods)
    api.answers.setdefault(f"{HOME}/secrets", listed())
    return failed.reasons(engine, of(api), said)


WAITS = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}
CRASHED = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}}
RAN: dict[str, Any] = {"restartCount": 2, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}


MORE_TIME = (
    f"{KUBECTL} logs new -c web\n"
    "pulumi config set --path 'slipway:app.health_path' /PATH --stack dev   # where another page tells; or see slipway:health\n"
    "pulumi config set --path 'slipway:web.startup_seconds' 120 --stack dev   # where it only needs longer"
)


@pytest.mark.parametrize(
    ("status", "events", "found", "mend"),
    [
        (
            {"phase": "Pending", **container({"waiting": WAITS})},
            [event("new", "Failed", 'Failed to pull image "x": 403 Forbidden')],
            'cannot pull its image: Failed to pull image "x": 403 Forbidden',
            (
                "pulumi config set --path 'slipway:kubernetes.registry' REGISTRY --stack dev   # one that the nodes reach\n"
                "pulumi config set --path 'slipway:kubernetes.pull_secret' true --stack dev"
                "   # where it wants credentials, which are the secret registry_auth"
            ),
        ),
        (
            {"phase": "Running", **container(CRASHED, ready=False, **RAN)},
            [],
            "ended with exit code 1, 2 times",
            f"{KUBECTL} logs new -c web --previous",
        ),
        (
            {
                "phase": "Running",
                **container(
                    {"running": {}}, ready=False, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
                ),
            },
            [],
            "was killed since it used more memory than its limit (OOMKilled)",
            "pulumi config set --path 'slipway:web.resources.memory_mb' 1024 --stack dev",
        ),
        (
            {
                "phase": "Pending",
                **container({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "a" not found'}}),
            },
            [],
            'cannot start (CreateContainerConfigError): secret "a" not found',
            f"{KUBECTL} describe pod new",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "message": "0/1 nodes are available: 1 Insufficient cpu.",
                    }
                ],
            },
            [],
            "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu",
            (
                "pulumi config set --path 'slipway:web.resources.cpus' LESS --stack dev"
                f"   # or more room: larger nodes, or more of them\n{KUBECTL} describe pod new"
            ),
        ),
        (
            {"phase": "Pending", **container({"waiting": {"reason": "ContainerCreating"}})},
            [event("new", "FailedMount", 'MountVolume.SetUp failed for volume "s": secret "a" not found')],
            'does not start: MountVolume.SetUp failed for volume "s": secret "a" not found',
            f"{KUBECTL} describe pod new",
        ),
        (
            {
                "phase": "Running",
                **container(CRASHED, ready=False, restartCount=3, lastState={"terminated": {"exitCode": 0}}),
            },
            [event("new", "Unhealthy", "Startup probe failed: connection refused")],
            "was stopped since its check failed: Startup probe failed: connection refused",
            MORE_TIME.replace("-c web", "-c web --previous"),
        ),
        (
            {"phase": "Running", **container({"running": {}}, ready=False)},
            [
                event("new", "Unhealthy", "Readiness probe failed: statuscode: 400"),
                event("new", "Unhealthy", "Readiness probe failed: statuscode: 500", at="2026-01-01T00:00:01Z"),
            ],
            "is not ready: Readiness probe failed: statuscode: 500",
            MORE_TIME,
        ),
    ],
)
def test_why_a_pod_does_not_run(  # noqa: PLR0913, PLR0917 - what pytest hands over
    outside: Engine, api: Api, status: dict[str, Any], events: list[dict[str, Any]], found: str, mend: str
) -> None:
    """The reason, what goes on serving, and the command that mends it."""
    api.answers[f"{HOME}/events"] = listed(*events)

    error = told(outside, api, READY, pod("new", **status))

    assert error is not None
    assert [(each.found, each.mend) for each in error.problems] == [
        (f"web (pod new) {found}; release r1 goes on serving (1 pod)", mend)
    ]


def test_the_last_lines_of_its_log_are_printed_without_secrets(outside: Engine, api: Api) -> None:
    """Of the container that ended, where another one has been started since; and of one pod of several alike."""
    api.answers[f"{HOME}/secrets"] = listed(
        secret(DATABASE_URL="postgres://app:s3cr3tpass@postgres:5432/app", KEY="a-long-key-1")
    )
    asked: list[dict[str, list[str]]] = []

    def log(query: dict[str, list[str]]) -> str:
        asked.append(query)
        return "Traceback\nOperationalError: s3cr3tpass is wrong for a-long-key-1\n"

    api.answers[f"{HOME}/pods/one/log"] = log
    status = {"phase": "Running", **container(CRASHED, ready=False, **RAN)}

    error = told(outside, api, pod("one", **status), pod("two", **status))

    assert asked == [{"container": ["web"], "tailLines": ["20"], "previous": ["true"]}]
    assert printed(outside) == (
        "    web (pod one) (and 1 more like it) ended with exit code 1, 2 times; it said:\n"
        "      Traceback\n"
        "      OperationalError: [secret] is wrong for [secret]\n"
    )
    assert error is not None
    assert [each.found for each in error.problems] == [
        "web (pod one) ended with exit code 1, 2 times; nothing serves yet"
    ]


def test_no_log_is_printed_where_secrets_cannot_be_read(outside: Engine, api: Api) -> None:
    """Nobody could take them out."""
    api.refusals[f"{HOME}/secrets"] = (403, "forbidden")
    api.answers[f"{HOME}/pods/one/log"] = "a password"

    told(outside, api, pod("one", phase="Running", **container(CRASHED, ready=False, **RAN)))

    assert "a password" not in printed(outside)
    assert "its log is not shown: the Secrets that may be in it cannot be read" in printed(outside)


def test_a_step_that_failed_shows_its_log(outside: Engine, api: Api) -> None:
    """A job's pod stays after its end."""
    api.answers[f"{HOME}/pods/migration-x/log"] = "django.db.utils.ProgrammingError: no such column\n"
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}

    error = told(outside, api, READY, pod("migration-x", "migration", phase="Failed", **container(ended, "migration")))

    assert "      django.db.utils.ProgrammingError: no such column\n" in printed(outside)
    assert error is not None
    assert error.problems[0].found == (
        "migration (pod migration-x) ended with exit code 1; release r1 goes on serving (1 pod)"
    )


def test_a_command_of_a_release_that_failed_is_named(outside: Engine, api: Api) -> None:
    """By its setting, in place of the pod that ran it."""
    api.answers[f"{HOME}/pods/migration-x/log"] = (
        "no such user\nthe release command failed with exit code 3 (slipway:release.once.superuser): python x.py\n"
    )
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}

    error = told(outside, api, pod("migration-x", "migration", phase="Failed", **container(ended, "migration")))

    assert "      no such user\n" in printed(outside)
    assert error is not None
    assert [(each.found, each.mend) for each in error.problems] == [
        (
            "slipway:release.once.superuser: `python x.py` failed with exit code 3 (what it said is above); nothing serves yet",
            "mend the project, or the command in stacks/Pulumi.dev.yaml, and run the same command again",
        )
    ]


@pytest.mark.parametrize(
    ("path", "owner", "message", "found", "mend"),
    [
        (
            f"{APPS}/replicasets",
            {"spec": {"replicas": 2}, "status": {"replicas": 0}},
            'pods "web-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5',
            "web (replicaset web-5f) may not make a pod: ",
            f"{KUBECTL} describe resourcequota\npulumi config set --path 'slipway:web.resources.memory_mb' LESS --stack dev",
        ),
        (
            "/apis/batch/v1/namespaces/shop-dev/jobs",
            {"status": {}},
            'pods "web-1" is forbidden: violates PodSecurity "restricted:latest"',
            "web (job web-5f) may not make a pod: ",
            f"{KUBECTL} describe job web-5f",
        ),
    ],
)
def test_why_no_pod_is_made(  # noqa: PLR0913, PLR0917 - what pytest hands over
    outside: Engine, api: Api, path: str, owner: dict[str, Any], message: str, found: str, mend: str
) -> None:
    """A quota or a policy refuses it, which only the events of its owner tell."""
    api.answers[path] = listed(ours("web-5f", "web", **owner))
    api.answers[f"{HOME}/events"] = listed(event("web-5f", "FailedCreate", message))

    error = told(outside, api)

    assert error is not None
    assert [(each.found, each.mend) for each in error.problems] == [(f"{found}{message}; nothing serves yet", mend)]


def test_a_step_that_took_too_long(outside: Engine, api: Api) -> None:
    """Its pods are gone by then."""
    late = {
        "type": "Failed",
        "status": "True",
        "reason": "DeadlineExceeded",
        "message": "Job was active longer than 600 s",
    }
    api.answers["/apis/batch/v1/namespaces/shop-dev/jobs"] = listed(
        ours("m-1", "migration", status={"conditions": [late]})
    )

    error = told(outside, api)

    assert error is not None
    assert error.problems[0].found == (
        "migration (job m-1) took too long: Job was active longer than 600 s; nothing serves yet"
    )


def test_a_claim_that_gets_no_storage(outside: Engine, api: Api) -> None:
    """A class that is not there, or that cannot do what is asked."""
    api.answers[f"{HOME}/persistentvolumeclaims"] = listed(ours("media", "media", status={"phase": "Pending"}))
    api.answers[f"{HOME}/events"] = listed(event("media", "ProvisioningFailed", 'storageclass "fast" not found'))

    error = told(outside, api)

    assert error is not None
    assert error.problems[0].found == (
        'media (claim media) gets no storage: storageclass "fast" not found; nothing serves yet'
    )


def test_what_is_well_is_not_named(outside: Engine, api: Api) -> None:
    """Pods that serve, that have done their work, that start, or that end."""
    ending = pod("ending", phase="Running", **container(CRASHED, ready=False, **RAN))
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    starting = pod("starting", phase="Pending", **container({"waiting": {"reason": "ContainerCreating"}}))

    assert told(outside, api, READY, pod("done", phase="Succeeded"), starting, ending) is None
    assert printed(outside) == ""


def test_what_failed_before_it_came_to_the_cluster_is_not_looked_for_there(outside: Engine, api: Api) -> None:
    """A build, for example."""
    assert told(outside, api, said="error: failed to solve") is None
    assert api.asked == []


def test_a_cluster_that_went_away_is_the_reason(outside: Engine, api: Api) -> None:
    """What else there is to say follows from it."""
    api.refusals["/api"] = (401, "Unauthorized")

    error = told(outside, api)

    assert error is not None
    assert "does not accept the credentials" in error.problems[0].found


def test_every_part_of_a_secret_is_taken_out() -> None:
    """The password of an address, the long words of a file; ordinary words stay."""
    known = words.of(
        [
            secret(url="redis://:p4@redis:6379/0"),
            secret(conf="user default on\nrequirepass 0123456789abcdef\n"),
            secret(key="-----BEGIN KEY-----\nMIIabcdefghijklmnopq\n"),
        ]
    )
    assert words.without("p4! requirepass default 0123456789abcdef MIIabcdefghijklmnopq redis", known) == (
        "[secret]! requirepass default [secret] [secret] redis"
    )
