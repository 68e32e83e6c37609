"""What errors of Pulumi, Docker and the build mean."""

import pytest

from pipeline.engine import Engine
from pipeline.explain import explain

MODULE = """list the package in the requirements; or, if the settings module is wrong:
pulumi config set --path slipway:app.settings_module NAME --stack dev"""
LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock
file with `pulumi cancel`.
  file:///x.json: created by me@host (pid 7) at 2026-01-01T00:00:00Z"""
COLLECTSTATIC = """#12 [build 7/9] RUN python manage.py collectstatic --noinput
\x1b[31m#12 1.2 ModuleNotFoundError: No module named 'config.nope'\x1b[0m"""


@pytest.mark.parametrize(
    ("said", "found", "mend"),
    [
        (
            "error: getting secrets manager: constructing secrets manager of type passphrase: incorrect passphrase",
            "the passphrase (from PULUMI_CONFIG_PASSPHRASE) does not open the secrets of stack dev",
            "export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase",
        ),
        (
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment",
            "no passphrase is set, and the secrets of stack dev need one",
            "tools/bootstrap && . .slipway/env",
        ),
        (
            LOCKED,
            "another update of stack dev is running: me@host (pid 7) at 2026-01-01T00:00:00Z",
            "wait for it; if it is gone for good: pulumi cancel --yes dev",
        ),
        (
            "error: failed to solve: write /x: no space left on device",
            "the disk is full: no space left on device",
            "docker system df   # shows what Docker holds\ndocker image prune   # removes images nothing uses",
        ),
        (
            "Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:8080 failed: port is already allocated",
            "slipway:edge.port: 127.0.0.1:8080 is taken by another program",
            "pulumi config set --path slipway:edge.port OTHER_PORT --stack dev",
        ),
        (
            "Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
            "slipway:edge.port: 127.0.0.1:8080 is taken by another program",
            "pulumi config set --path slipway:edge.port OTHER_PORT --stack dev",
        ),
        (
            COLLECTSTATIC,
            "the image cannot be built, since Django does not start in it: No module named 'config.nope'",
            MODULE,
        ),
        (
            "#9 1.2 django.core.exceptions.X: Set KEY",
            "the image cannot be built, since Django does not start in it: django.core.exceptions.X: Set KEY",
            "mend the project and run the same command again",
        ),
        (
            "error: dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
            "a registry cannot be reached: lookup registry-1.docker.io on 10.0.0.2:53: no such host",
            "tools/bootstrap   # brings images where registries cannot be reached, and says what is missing",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "the Docker daemon does not answer at unix:///var/run/docker.sock",
            "tools/bootstrap   # starts it where it may, or says how",
        ),
    ],
)
def test_known_errors_name_their_mend(engine: Engine, said: str, found: str, mend: str) -> None:
    """One clear sentence and one command instead of the original text."""
    error = explain(f"before\n{said}\nafter", engine)

    assert error is not None
    assert [(problem.found, problem.mend) for problem in error.problems] == [(found, mend)]


def test_an_unknown_error_is_left_to_its_own_words(engine: Engine) -> None:
    """The table does not guess."""
    assert explain("error: something new", engine) is None
