"""``secrets init`` makes what is missing, hands it to Pulumi unseen, and never overwrites."""

import base64
import io
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from components.problems import SettingsError
from pipeline import __main__, secrets
from pipeline.console import Console, PipelineError
from pipeline.engine import Engine

# It keeps what it is told as Pulumi does: in the stack's file, with the value from standard input.
PULUMI = """#!{python}
import base64, json, os, pathlib, sys, yaml
root = pathlib.Path({root!r})
with open(root / "calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
arguments = sys.argv[1:]
stack = arguments[arguments.index("--stack") + 1] if "--stack" in arguments else arguments[2]
file = root / "stacks" / f"Pulumi.{{stack}}.yaml"
content = yaml.safe_load(file.read_text()) or {{}}
if arguments[:2] == ["stack", "export"]:
    known = (root / "known").exists()
    print('{{"deployment": {{}}}}' if known else f"error: no stack named '{{stack}}' found", file=sys.stdout if known else sys.stderr)
    sys.exit(0 if known else 6)
if arguments[:2] == ["stack", "init"]:
    (root / "known").touch()
    content["encryptionsalt" if "--secrets-provider" not in arguments else "secretsprovider"] = "v1:x"
if os.environ.get("PULUMI_CONFIG_PASSPHRASE") == "wrong" and arguments[0] == "config":
    sys.exit("error: incorrect passphrase")
if arguments[:2] == ["config", "set"]:
    assert arguments[2] == "--secret", arguments
    value = base64.b64encode(sys.stdin.read().encode()).decode()
    content.setdefault("config", {{}})[arguments[3]] = {{"secure": value}}
file.write_text(yaml.safe_dump(content, sort_keys=False))
"""


@pytest.fixture
def repository(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose ``pulumi`` keeps what it is told."""
    program = root / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI.format(python=sys.executable, root=str(root)))
    program.chmod(0o755)
    (root / "stacks/dev.template.yaml").write_text("config:\n  slipway:environment: dev\n")
    (root / "stacks/Pulumi.prod.yaml").write_text("config:\n  slipway:environment: prod\n")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{root}/.slipway/state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(root / ".slipway/passphrase"))
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.setattr(secrets, "Engine", lambda stack, console: Engine(stack, console, root))
    return root


NAMES = ("django_key", "postgres_password", "redis_password")
"""What a stack on one host needs that says nothing else."""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(repository: Path) -> Run:  # noqa: ARG001  # the command runs in it
    """Run the command line and give its exit code and what it printed."""

    def go(*arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        return __main__.main([*arguments], Console(out, err)), out.getvalue(), err.getvalue()

    return go


def stored(root: Path, stack: str = "dev") -> dict[str, str]:
    """Give the stored secrets of a stack, still encrypted."""
    config = yaml.safe_load((root / f"stacks/Pulumi.{stack}.yaml").read_text())["config"]
    return {name: config[f"secrets:{name}"]["secure"] for name in NAMES}


def test_everything_is_made_for_a_new_stack(run: Run, repository: Path) -> None:
    """A fresh clone gets a stack's file, a passphrase, the stack and every secret."""
    code, out, err = run("secrets", "init", "dev")

    assert (code, err) == (0, "")
    assert out.endswith(
        "secrets:django_key           made\nsecrets:postgres_password    made\nsecrets:redis_password       made\n"
    )
    assert len(set(stored(repository).values())) == 3
    passphrase = repository / ".slipway/passphrase"
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", passphrase.read_text())


def test_no_value_is_seen(run: Run, repository: Path) -> None:
    """Values are long, safe in URLs, and neither printed nor on a command line."""
    _code, out, _err = run("secrets", "init", "dev")

    values = {name: base64.b64decode(value).decode() for name, value in stored(repository).items()}
    assert re.fullmatch(r"[A-Za-z0-9_-]{50,}", values["django_key"])
    assert re.fullmatch(r"[0-9a-f]{64}", values["postgres_password"])
    assert re.fullmatch(r"[0-9a-f]{64}", values["redis_password"])
    calls = (repository / "calls").read_text()
    for value in values.values():
        assert value not in out
        assert value not in calls


def test_nothing_is_overwritten(run: Run, repository: Path) -> None:
    """A second run changes nothing; one that was taken away is made again alone."""
    run("secrets", "init", "dev")
    before = stored(repository)

    code, out, _err = run("secrets", "init", "dev")
    assert (code, stored(repository)) == (0, before)
    assert out == (
        "secrets:django_key           there already\n"
        "secrets:postgres_password    there already\n"
        "secrets:redis_password       there already\n"
    )

    file = repository / "stacks/Pulumi.dev.yaml"
    content = yaml.safe_load(file.read_text())
    del content["config"]["secrets:redis_password"]
    file.write_text(yaml.safe_dump(content))
    assert run("secrets", "init", "dev")[0] == 0
    after = stored(repository)
    assert after.pop("redis_password") != before.pop("redis_password")
    assert after == before


def test_what_to_do_with_the_secrets_of_a_tracked_stack(run: Run) -> None:
    """For a stack that a team shares, the command says what to keep."""
    _code, out, _err = run("secrets", "init", "prod")

    assert out.endswith(
        "They are encrypted in stacks/Pulumi.prod.yaml: commit it.\n"
        "Keep a copy of the passphrase in a safe place: without it nobody can read them again.\n"
    )


def test_any_secrets_provider_works(run: Run, repository: Path) -> None:
    """Another provider is handed through, and nothing is said or made about a passphrase it does not have."""
    code, out, _err = run("secrets", "init", "prod", "--secrets-provider", "awskms://alias/slipway")

    assert code == 0
    assert out.endswith("They are encrypted in stacks/Pulumi.prod.yaml: commit it.\n")
    assert '"--secrets-provider", "awskms://alias/slipway"' in (repository / "calls").read_text()


@pytest.mark.parametrize("again", [False, True])
def test_a_wrong_passphrase_is_one_clear_error(run: Run, monkeypatch: pytest.MonkeyPatch, again: bool) -> None:  # noqa: FBT001  # both cases
    """Whether secrets are missing or not, a wrong passphrase shows at once, and where it came from."""
    if again:
        run("secrets", "init", "prod")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")

    code, _out, err = run("secrets", "init", "prod")

    assert code == 1
    assert err.startswith(
        "error: the passphrase (from PULUMI_CONFIG_PASSPHRASE) does not open the secrets of stack prod"
    )
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in err
    assert err.count("error:") == 1


def test_a_secret_in_clear_is_refused(run: Run, repository: Path) -> None:
    """A value that somebody stored in clear is named, not shown, and not made again over it."""
    file = repository / "stacks/Pulumi.prod.yaml"
    file.write_text("config:\n  secrets:redis_password: hush\n")

    code, out, err = run("secrets", "init", "prod")

    assert (code, out) == (1, "")
    assert err == (
        "error: secrets:redis_password: found a value in clear (not shown)\n"
        "  allowed: an encrypted value; whoever could read the file knows this one, so make a new one\n"
        "  mend:    pulumi config rm secrets:redis_password --stack prod && python -m pipeline secrets init prod\n"
    )
    with pytest.raises(SettingsError):
        secrets.missing("prod", repository)
    assert file.read_text() == "config:\n  secrets:redis_password: hush\n"


def test_missing_names_what_is_not_there(repository: Path) -> None:
    """Without a file, and without an entry, a secret is missing."""
    assert secrets.missing("nowhere", repository) == list(NAMES)
    (repository / "stacks/Pulumi.prod.yaml").write_text("config:\n  secrets:django_key: {secure: x}\n")
    assert secrets.missing("prod", repository) == ["postgres_password", "redis_password"]


def test_what_somebody_else_knows_is_asked_for(run: Run, repository: Path) -> None:
    """A secret that cannot be made is named with the command that stores it, and only what is needed is made."""
    file = repository / "stacks/Pulumi.prod.yaml"
    file.write_text(
        "config:\n  slipway:environment: prod\n  slipway:domain: a.example.org\n"
        "  slipway:app: {source: ., settings_module: config.settings}\n"
        "  slipway:postgres: {provider: external}\n"
    )

    code, out, err = run("secrets", "init", "prod")

    assert (code, err) == (0, "")
    assert (
        "secrets:django_key           made\n"
        "secrets:redis_password       made\n"
        "secrets:database_url         still to be given\n"
        "secrets:database_url is not made, since somebody else knows it:\n"
        "  pulumi config set --secret secrets:database_url --stack prod postgresql://USER:PASSWORD@HOST:5432/NAME\n"
    ) in out
    assert set(yaml.safe_load(file.read_text())["config"]) >= {"secrets:django_key", "secrets:redis_password"}
    assert secrets.missing("prod", repository) == ["database_url"]


def test_init_without_an_engine_uses_the_one_of_this_machine(repository: Path, run: Run) -> None:
    """Other commands hand only the stack's name."""
    run("secrets", "init", "dev")

    assert secrets.init("dev") == []
    assert stored(repository)


def test_a_passphrase_is_never_overwritten(tmp_path: Path) -> None:
    """A file that is there stays, and no draft is left behind."""
    path = tmp_path / "new" / "passphrase"
    secrets.make_passphrase(path)
    before = path.read_text()

    secrets.make_passphrase(path)

    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir()] == ["passphrase"]


@pytest.mark.parametrize(
    ("folder", "reason"), [("file", "a folder above it is a file"), ("x" * 300, "File name too long")]
)
def test_a_passphrase_that_cannot_be_written(tmp_path: Path, folder: str, reason: str) -> None:
    """A folder that cannot be made is named, with the reason."""
    (tmp_path / "file").write_text("")
    path = tmp_path / folder / "passphrase"

    with pytest.raises(PipelineError) as error:
        secrets.make_passphrase(path)
    assert error.value.problems[0].found == f"cannot write {path}: {reason}"
