"""A preview without keys: placeholders on both sides, in a copy that goes away, and never a write to the real backend."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from components.settings import parse
from components.tokens import SIGNATURE
from pipeline import __main__ as command_line
from pipeline.console import Console, PipelineError
from pipeline.engine import Engine, Result
from pipeline.preview import keyless, plan, run, stripped
from pipeline.preview.keyless import Compared
from pipeline.preview.value import Json
from tests.unit.pipeline.fake_pulumi import Fake

MARK = "1b47061264138c4ac30d75fd1eb44270"
STASH = "urn:pulumi:prod::slipway::slipway:docker:SecretFiles$pulumi:index:Stash::app-secrets-contents"
WRITER = "urn:pulumi:prod::slipway::slipway:docker:SecretFiles$docker:index/container:Container::app-secrets"


def secret(**content: Json) -> Json:
    """A secret of a state or of a plan."""
    return {SIGNATURE: MARK, **content}


PLAN: dict[str, Json] = {
    "resourcePlans": {
        STASH: {"goal": {"inputDiff": {"adds": {"input": secret(plaintext='"print"')}}}},
        WRITER: {"goal": {"inputDiff": {"adds": {"uploads": secret(plaintext='[{"file": "a"}]'), "user": "1:1"}}}},
        "urn:other": {"goal": None},
    }
}


def test_secrets_of_a_state_become_what_the_program_says_now() -> None:
    """In inputs and outputs, also where a plugin keeps its inputs once more; everything else stays as it is."""
    blind = secret(ciphertext="v1:abc")
    resources: Json = [
        {"urn": STASH, "type": "pulumi:index:Stash", "inputs": {"input": blind}, "outputs": {"output": blind}},
        {
            "urn": WRITER,
            "type": "docker:index/container:Container",
            "inputs": {"uploads": blind, "user": "0:0"},
            "outputs": {"uploads": blind, "logs": [blind], "__inputs": {"uploads": blind}},
        },
        {"urn": "urn:gone", "type": "x", "inputs": {"a": {SIGNATURE: "another mark"}}},
    ]

    assert keyless.blinded(resources, keyless.wanted(PLAN)) == [
        {
            "urn": STASH,
            "type": "pulumi:index:Stash",
            "inputs": {"input": secret(plaintext='"print"')},
            "outputs": {"output": secret(plaintext='"print"')},
        },
        {
            "urn": WRITER,
            "type": "docker:index/container:Container",
            "inputs": {"uploads": secret(plaintext='[{"file": "a"}]'), "user": "0:0"},
            "outputs": {
                "uploads": secret(plaintext='[{"file": "a"}]'),
                "logs": [secret(plaintext='""')],
                "__inputs": {"uploads": secret(plaintext='[{"file": "a"}]')},
            },
        },
        {"urn": "urn:gone", "type": "x", "inputs": {"a": {SIGNATURE: "another mark"}}},
    ]


@pytest.mark.parametrize(
    ("key", "begins"),
    [
        ("secrets:django_key", "placeholder-of-django-key-which-is-no-secret"),
        ("secrets:database_url", "postgresql://user:placeholder-of-"),
        ("secrets:registry_auth", '{"auths": {"registry.invalid": {"auth": "placeholder-of-'),
    ],
)
def test_placeholders_have_the_shape_that_the_program_expects(key: str, begins: str) -> None:
    """It takes addresses apart; a key has to be long."""
    assert keyless.placeholder(key).startswith(begins)
    assert len(keyless.placeholder(key)) > 50


@pytest.fixture
def prod(engine_for: Callable[[str], Engine]) -> Engine:
    """A stack with a secret."""
    engine = engine_for("prod")
    engine.stack_file.write_text(
        yaml.safe_dump(
            {
                "config": {"slipway:environment": "prod", "secrets:django_key": {"secure": "v1:abc"}},
                "encryptionsalt": "v1:salt",
            }
        )
    )
    return engine


LOADED = parse(
    {
        "environment": "prod",
        "domain": "x.org",
        "app": {"source": "examples/guestbook", "settings_module": "config.settings"},
    },
    "prod",
)
EVENTS = json.dumps({"summaryEvent": {"result": "succeeded"}}) + "\n"


def test_nothing_but_a_copy_is_written(prod: Engine, fake: Fake) -> None:
    """The state is read without a passphrase; the copy gets a stack, placeholders, the state, and is gone afterwards."""
    before = prod.stack_file.read_text()
    state = {"version": 3, "deployment": {"resources": [{"urn": "urn:x", "type": "x"}]}}
    fake.when("stack export", out=json.dumps(state))
    fake.when("preview", out=EVENTS)

    found = keyless.preview(prod, LOADED)

    assert found.compared is Compared.BLIND
    assert [each.split(" /")[0] for each in fake.calls[:4]] == [
        "stack export --stack prod",
        "stack init prod --no-select --non-interactive",
        f"config set-all --stack prod --non-interactive --secret secrets:django_key={keyless.placeholder('secrets:django_key')}",
        "preview --json --stack prod --non-interactive --save-plan",
    ]
    assert prod.stack_file.read_text() == before
    assert list((prod.root / ".slipway/preview").iterdir()) == []


def test_without_a_backend_it_is_compared_with_nothing(prod: Engine, fake: Fake) -> None:
    """And the reason is told."""
    fake.when("preview", out=EVENTS)

    found = keyless.preview(replace(prod, environ={**prod.environ, "PULUMI_BACKEND_URL": ""}), LOADED)

    assert (found.compared, found.reason) == (
        Compared.NOTHING,
        "PULUMI_BACKEND_URL is not set, so its state cannot be read",
    )
    assert not [each for each in fake.calls if each.startswith(("stack import", "stack export"))]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("file:///nowhere", "PULUMI_BACKEND_URL: the folder /nowhere does not exist"),
        (
            "s3://bucket",
            ("PULUMI_BACKEND_URL: the state in s3://bucket cannot be reached: AccessDenied: no"),
        ),
    ],
)
def test_a_backend_that_is_named_and_cannot_be_read_is_a_failure(
    prod: Engine, fake: Fake, url: str, found: str
) -> None:
    """Or a comparison with nothing would pass for one, each time that a server is away."""
    fake.when("stack export", err="error: blob (code=Unknown): api error AccessDenied: no", code=255)

    with pytest.raises(PipelineError) as raised:
        keyless.preview(replace(prod, environ={**prod.environ, "PULUMI_BACKEND_URL": url}), LOADED)

    assert str(raised.value) == (
        f"{found}\n"
        "  allowed: a place that this machine may read, or a copy of the state\n"
        "  mend:    python -m pipeline state prod --output state.json   # where it may be read, and here:\n"
        "           python -m pipeline preview prod --without-secrets --state state.json\n"
        "           env -u PULUMI_BACKEND_URL python -m pipeline preview prod --without-secrets   # compares with nothing"
    )
    assert not [each for each in fake.calls if each.startswith("preview")]


def test_a_stack_that_runs_on_another_target_is_refused(prod: Engine, fake: Fake) -> None:
    """As every update of it would be."""
    resources = [{"urn": "urn:x", "type": "slipway:kubernetes:Web"}]
    fake.when("stack export", out=json.dumps({"version": 3, "deployment": {"resources": resources}}))

    with pytest.raises(PipelineError, match='slipway:target: found "docker", but stack prod runs on kubernetes'):
        keyless.preview(prod, LOADED)


def test_a_stack_that_is_not_deployed_is_compared_with_nothing(prod: Engine, fake: Fake) -> None:
    """There is a backend, and nothing of it in there. A fork's job has the folder of its clone, which knows of nothing."""
    fake.when("stack export", err="error: no stack named 'prod' found", code=255)
    fake.when("preview", out=EVENTS)

    found = keyless.preview(replace(prod, environ={**prod.environ, "PULUMI_BACKEND_URL": "s3://bucket"}), LOADED)
    assert (found.compared, found.reason) == (Compared.NOTHING, "nothing of it is deployed")

    own = {**prod.environ, "PULUMI_BACKEND_URL": f"file://{prod.root}/.slipway/state"}
    found = keyless.preview(replace(prod, environ=own), LOADED)
    assert (found.compared, found.reason) == (
        Compared.NOTHING,
        "no state on this machine knows of it; whether it is deployed is not known here",
    )


# A copy of the state -------------------------------------------------------------------------------------------------

STATE: dict[str, Json] = {
    "manifest": {"version": "v3.259.0"},
    "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:salt"}},
    "resources": [
        {
            "urn": STASH,
            "type": "pulumi:index:Stash",
            "inputs": {"input": secret(ciphertext="v1:abc"), "plain": [1, "x"]},
            "outputs": {"list": [secret(ciphertext="v1:def", plaintext="no")], "other": {SIGNATURE: "another mark"}},
        }
    ],
    "pending_operations": [{"resource": {"inputs": {"a": secret(ciphertext="v1:ghi")}}}],
}
STRIPPED: dict[str, Json] = {
    "manifest": {"version": "v3.259.0"},
    "resources": [
        {
            "urn": STASH,
            "type": "pulumi:index:Stash",
            "inputs": {"input": secret(), "plain": [1, "x"]},
            "outputs": {"list": [secret()], "other": {SIGNATURE: "another mark"}},
        }
    ],
}


def test_a_copy_of_a_state_has_no_secret_and_nothing_that_opens_one() -> None:
    """What is left says that there is one: a preview puts a placeholder there."""
    assert stripped.stripped(STATE) == STRIPPED
    assert keyless.blinded(STRIPPED["resources"], {}) == keyless.blinded(STATE["resources"], {})


def test_the_command_writes_the_copy(prod: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the state without a passphrase; a stack without a state has no copy."""
    monkeypatch.setattr(stripped, "Engine", lambda stack, console: replace(prod, stack=stack, console=console))
    path = prod.root / "copy.json"
    fake.when("stack export", out=json.dumps({"version": 3, "deployment": STATE}))
    console = Console(io.StringIO(), io.StringIO())

    assert command_line.main(["state", "prod", "--output", str(path)], console) == 0
    assert json.loads(path.read_text()) == {"version": 3, "deployment": STRIPPED}
    assert stripped.read(path, prod) == STRIPPED

    fake.when("stack export", err="error: no stack named 'prod' found", code=255)
    assert command_line.main(["state", "prod", "--output", str(path)], console) == 1
    assert "error: stack prod has no state\n" in str(getattr(console.err, "getvalue", str)())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "this is no copy of a state"),
        ('{"deployment": {}}', "this is no copy of a state"),
        ('{"deployment": {"resources": []}}', "this is the state of nothing, and not of stack prod"),
        (
            '{"deployment": {"resources": [{"urn": "urn:pulumi:staging::slipway::x::y"}]}}',
            "this is the state of staging, and not of stack prod",
        ),
    ],
)
def test_what_is_no_copy_is_refused(prod: Engine, content: str | None, found: str) -> None:
    """A report that compares with another stack would be wrong in every line."""
    path = prod.root / "copy.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(PipelineError) as raised:
        stripped.read(path, prod)

    assert raised.value.problems[0].found == f"--state {path}: {found}"


def test_a_copy_takes_the_place_of_the_state(prod: Engine, fake: Fake) -> None:
    """The backend is not asked."""
    path = prod.root / "copy.json"
    path.write_text(json.dumps({"deployment": STRIPPED}))
    fake.when("preview", out=EVENTS)

    found = keyless.preview(prod, LOADED, (), path)

    assert found.compared is Compared.BLIND
    assert not [each for each in fake.calls if each.startswith("stack export --stack prod --")]


def test_another_way_to_the_daemon_is_no_change() -> None:
    """It belongs to the machine that previews: with it, every image would be built again."""
    builder: dict[str, Json] = {
        "type": "pulumi:providers:docker-build",
        "inputs": {"host": "ssh://deploy@x", "version": "0.0.22"},
        "outputs": {"host": "ssh://deploy@x"},
    }
    other: dict[str, Json] = {"type": "x", "inputs": {"host": "y"}}

    assert keyless.at_home([builder, other], {"DOCKER_HOST": "tcp://z"}) == [
        {
            "type": "pulumi:providers:docker-build",
            "inputs": {"host": "tcp://z", "version": "0.0.22"},
            "outputs": {"host": "tcp://z"},
        },
        other,
    ]


def test_the_copy_runs_the_program_where_it_is(tmp_path: Path) -> None:
    """Paths in the settings start at the repository; the stack's file is the copy's."""
    (tmp_path / "Pulumi.yaml").write_text(
        "name: slipway\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: x\n"
    )

    assert yaml.safe_load(keyless.project(tmp_path)) == {
        "name": "slipway",
        "runtime": {"name": "python", "options": {"virtualenv": f"{tmp_path}/.venv"}},
        "stackConfigDir": "stacks",
        "main": str(tmp_path),
    }


def failure(engine: Engine, *said: str, code: int = 1) -> PipelineError | None:
    """What a preview failed for that said this."""
    events = [{"diagnosticEvent": {"severity": "error", "message": f"error: {each}\n"}} for each in said]
    lines = "\n".join(map(json.dumps, events))
    return run.failure(engine, Result(code, lines), plan.read(lines, engine.stack))


def test_failures_are_explained(engine: Engine) -> None:
    """By the table where it knows them; else in Pulumi's words without its noise."""
    assert run.failure(engine, Result(0, EVENTS), plan.read(EVENTS, "dev")) is None
    urn = "urn:pulumi:dev::slipway::slipway:docker:Storage$docker:index/volume:Volume::postgres-storage-volume"
    protected = failure(engine, f'Preview failed: resource "{urn}" cannot be deleted\nbecause it is protected. To')
    assert str(protected).startswith(
        "the volume postgres is protected, and this change would delete it with its data\n  allowed: "
    )
    other = failure(engine, "something odd", "preview failed")
    assert str(other) == "something odd\n  mend:    mend the reason and run the same command again"
    assert str(failure(engine)).startswith("pulumi preview --stack dev ended with exit code 1\n")


def test_a_mandatory_policy_is_the_reason_where_there_is_no_other(engine: Engine) -> None:
    """Pulumi says nothing but its exit code."""
    event = {"policyEvent": {"policyPackName": "house", "policyName": "small", "enforcementLevel": "mandatory"}}
    lines = json.dumps(event)

    error = run.failure(engine, Result(1, lines), plan.read(lines, "dev"))

    assert str(error).startswith("mandatory policies are violated: house/small\n")
