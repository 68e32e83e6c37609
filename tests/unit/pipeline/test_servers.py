"""What a service beside the app says last, and which of its settings mend it."""

from typing import Any, Self

import pytest

from components.services import SETTINGS
from pipeline import servers
from pipeline.cluster import failed
from pipeline.console import PipelineError, Problem
from pipeline.engine import Engine
from pipeline.host import failed as host_failed
from tests.sample import settings
from tests.unit.pipeline.fake_cluster import HOME, Api, listed, of
from tests.unit.pipeline.test_cluster_failed import CRASHED, KUBECTL, RAN, container, pod, told

USUAL = (
    f"correct slipway:services.mq in stacks/Pulumi.dev.yaml: {SETTINGS}\n"
    "pulumi config set --path 'slipway:services.mq.startup_seconds' 180 --stack dev   # where it only needs longer"
)


NO_SHELL = (
    "pulumi config set --path 'slipway:services.mq.environment.NAME_FILE' '${secrets.NAME.file}' --stack dev"
    "   # its image has no shell: give it files, and no entrypoint"
)


def writable(folder: str) -> str:
    """Give the commands for a folder that it cannot write to."""
    return (
        f"pulumi config set --path 'slipway:services.mq.writable' {folder} --stack dev"
        "   # beside those that are there; or one of its volumes\n"
        "pulumi config set --path 'slipway:services.mq.user' NUMBER --stack dev   # where its image has another user\n"
        "pulumi config set --path 'slipway:services.mq.read_only' false --stack dev   # where it writes in many places"
    )


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("", USUAL),
        ("bad option", USUAL),
        ("touch: cannot touch '/var/log/mq/x.log': Read-only file system", writable("/var/log/mq")),
        ("mkdir: cannot create directory '/data/a': Permission denied", writable("/data")),
        ("[ERROR] Can't create file '/run/mysqld/x.pid' (errno: 13 \"Permission denied\")", writable("/run/mysqld")),
        ("OSError: [Errno 30] Read-only file system: '/srv/cache/a'", writable("/srv/cache")),
        (
            "Bind on unix socket: Read-only file system\n8:41 [ERROR] Another server on socket: /run/mysqld/a.sock ?",
            writable("/run/mysqld"),
        ),
        ("boot failed: Permission denied", writable("/FOLDER")),
        (
            'OCI runtime create failed: exec: "sh": executable file not found in $PATH',
            NO_SHELL,
        ),
    ],
)
def test_what_mends_a_service(said: str, mend: str) -> None:
    """A folder that it may not write to is named; otherwise all that there is to say about it."""
    assert servers.mend("mq", said, "dev") == mend


def test_the_error_has_the_last_line() -> None:
    """The service is named by its key, with the end of what it said."""
    assert servers.problem_of("mq", "restarts again and again", "one\n two \n\n", "dev") == Problem(
        "slipway:services.mq: the service restarts again and again: two; nothing of the release has started",
        allowed="a service that takes connections on its port, or whose health_command exits 0, in startup_seconds",
        mend=USUAL,
    )


WAITED = "container shop-dev-service-mq failed to be in healthy state: still unhealthy after 10 s"


class _Container:
    """A container of Docker, as far as it is read here."""

    name = "shop-dev-service-mq"

    def __init__(self, component: str, state: dict[str, Any], log: str) -> None:
        self.labels = {"slipway.component": component}
        self.attrs = {"State": state, "Created": "2026-11-29T08:00:00Z"}
        self._log = log

    def logs(self, tail: int) -> bytes:
        """Give the end of its log."""
        assert tail == host_failed.LAST_LINES
        return self._log.encode()


def on_docker(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, *found: _Container, said: str = WAITED
) -> PipelineError | None:
    """What is made of these containers."""

    class Client:
        """A daemon."""

        containers = property(lambda self: self)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def list(self, **_: object) -> list[_Container]:
            """List the containers."""
            return list(found)

    monkeypatch.setattr(host_failed, "daemon", lambda _environ: Client())
    return host_failed.reasons(engine, settings(), said)


RESTARTING = {"Status": "restarting", "ExitCode": 1}


def test_a_service_on_docker_that_fails(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    """It is the error, unless Pulumi's words name another reason."""
    service = _Container("service-mq", RESTARTING, "bad option\n")

    error = on_docker(monkeypatch, engine, service)
    assert error is not None
    assert [each.found for each in error.problems] == [
        "slipway:services.mq: the service restarts again and again: bad option; nothing of the release has started"
    ]
    assert on_docker(monkeypatch, engine, service, said="error: something else") is None
    full = on_docker(monkeypatch, engine, service, said="no space left on device")
    assert full is not None
    assert full.problems[0].found.startswith("the disk is full")


def test_a_service_on_a_cluster_that_fails(outside: Engine, api: Api) -> None:
    """What it said decides which of its settings are named."""
    api.answers[f"{HOME}/pods/new/log"] = "mkdir: cannot create directory '/data/a': Permission denied\n"

    error = told(outside, api, pod("new", "service-mq", phase="Running", **container(CRASHED, "service-mq", **RAN)))

    assert error is not None
    (only,) = error.problems
    assert only.found.startswith("service-mq (pod new) ended with exit code 1, 2 times; ")
    assert only.mend == f"{KUBECTL} logs new -c service-mq --previous\n{writable('/data')}"


def test_an_image_of_a_service_that_cannot_be_pulled(outside: Engine, api: Api) -> None:
    """Its own setting is named, and not the registry of the app's image."""
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}

    error = told(outside, api, pod("new", "service-mq", phase="Pending", **container(waits, "service-mq")))

    assert error is not None
    assert error.problems[0].mend == (
        "pulumi config set --path 'slipway:services.mq.image' IMAGE --stack dev   # one that the nodes can pull"
    )


def test_a_service_on_a_cluster_that_is_not_ready(outside: Engine, api: Api) -> None:
    """Where it said nothing, all of its settings are named."""
    api.answers[f"{HOME}/pods"] = listed(
        pod("new", "service-mq", phase="Running", **container({"running": {}}, "service-mq", ready=False))
    )
    api.answers.setdefault(f"{HOME}/secrets", listed())

    error = failed.reasons(outside, of(api), "error: the Kubernetes API server reported that it failed")

    assert error is not None
    assert error.problems[0].mend == f"{KUBECTL} logs new -c service-mq\n{USUAL}"
