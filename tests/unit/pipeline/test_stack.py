"""Getting a stack ready."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components import checkout
from components.model import App
from components.problems import SettingsError
from components.secrets import USUAL
from pipeline import stack
from pipeline.console import PipelineError
from pipeline.engine import ROOT, Engine
from tests.unit.pipeline.fake_pulumi import Fake, printed

MISSING_STACK = "error: no stack named 'dev' found\n"

MADE = [*USUAL]
"""The secrets that Slipway makes for every stack; the others are for settings that name them."""


@pytest.fixture
def example(root: Path) -> Path:
    """The templates and the example project, in the repository of the test."""
    for name in ("dev.template.yaml", "Pulumi.staging.yaml"):
        shutil.copy(ROOT / "stacks" / name, root / "stacks" / name)
    shutil.copytree(ROOT / "examples/guestbook", root / "examples/guestbook")
    return root


def test_a_new_dev_is_made_without_a_question(engine: Engine, fake: Fake, example: Path) -> None:
    """Its file comes from the template, it is known to Pulumi, and its secrets are made, one call for each."""
    fake.when("stack export", err=MISSING_STACK, code=255)
    (example / "stacks/Pulumi.dev.yaml").write_text((example / "stacks/dev.template.yaml").read_text())
    (example / "stacks/Pulumi.dev.yaml").unlink()

    with pytest.raises(SettingsError) as error:  # the made-up command stores nothing, so they are missing still
        stack.prepare(engine, None)

    assert [problem.key for problem in error.value.problems] == [f"secrets:{name}" for name in MADE]
    assert (example / "stacks/Pulumi.dev.yaml").read_text() == (example / "stacks/dev.template.yaml").read_text()
    assert fake.calls[:2] == ["stack export --stack dev", "stack init dev --no-select"]
    assert [call.split()[3] for call in fake.calls[2:]] == [f"secrets:{name}" for name in MADE]


def with_secrets(path: Path) -> None:
    """Add encrypted values to a stack's file."""
    secrets = "".join(f"  secrets:{name}:\n    secure: v1:x\n" for name in MADE)
    path.write_text(path.read_text() + secrets)


def test_a_complete_stack_costs_one_call(engine: Engine, fake: Fake, example: Path) -> None:
    """A second ``up`` reads the state and nothing else."""
    fake.when("stack export", out='{"deployment": {"resources": [1]}}')
    shutil.copy(example / "stacks/dev.template.yaml", example / "stacks/Pulumi.dev.yaml")
    with_secrets(example / "stacks/Pulumi.dev.yaml")

    settings, state = stack.prepare(engine, None)

    assert settings.app.name == "guestbook"
    assert state == {"resources": [1]}
    assert fake.calls == ["stack export --stack dev"]


def test_secrets_of_other_stacks_are_made_by_a_command(
    engine_for: Callable[[str], Engine], fake: Fake, example: Path
) -> None:
    """They belong into version control, so nobody makes them on the side."""
    fake.when("stack export", out='{"deployment": {}}')

    with pytest.raises(SettingsError) as error:
        stack.prepare(engine_for("staging"), None)

    assert error.value.problems[0].mend == "python -m pipeline secrets init staging"
    assert len(error.value.problems) == len(MADE)
    assert example.joinpath("stacks/Pulumi.staging.yaml").exists()


def test_an_unknown_stack_is_named_with_the_known_ones(
    engine_for: Callable[[str], Engine], example: Path, fake: Fake
) -> None:
    """Nothing is made for a name with a slip of the pen."""
    with pytest.raises(PipelineError, match=r"stacks/Pulumi\.stagign\.yaml does not exist") as error:
        stack.prepare(engine_for("stagign"), None)
    assert error.value.problems[0].allowed == "dev, staging"
    assert sorted(path.name for path in (example / "stacks").iterdir()) == ["Pulumi.staging.yaml", "dev.template.yaml"]
    assert fake.calls == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", "PULUMI_BACKEND_URL is not set"),
        ("file:///nonexistent/state", "PULUMI_BACKEND_URL: the folder /nonexistent/state does not exist"),
    ],
)
def test_a_backend_that_is_not_there_is_named(engine: Engine, url: str, found: str) -> None:
    """Pulumi itself would ask, or make a folder somewhere."""
    lost = Engine("dev", engine.console, engine.root, {"PULUMI_BACKEND_URL": url}, engine.program)

    with pytest.raises(PipelineError) as error:
        stack.backend(lost)
    assert error.value.problems[0].found == found


def passphrase(engine: Engine, environ: dict[str, str]) -> None:
    """Look for the passphrase in other surroundings."""
    stack.passphrase(Engine(engine.stack, engine.console, engine.root, environ, engine.program))


def test_the_passphrase_of_a_new_dev_is_made_for_its_owner_alone(engine: Engine, example: Path) -> None:
    """It is random, and a second run leaves it as it is."""
    path = example / ".slipway/passphrase"
    stack.stack_file(engine)

    passphrase(engine, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)})
    first = path.read_text()
    passphrase(engine, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)})

    assert path.read_text() == first
    assert len(first.strip()) > 30
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lost_passphrase_is_not_made_up_for(engine: Engine, example: Path) -> None:
    """A new one would not open what the old one has closed."""
    path = example / ".slipway/passphrase"
    stack.stack_file(engine)
    file = example / "stacks/Pulumi.dev.yaml"
    file.write_text("encryptionsalt: v1:x\n" + file.read_text())

    with pytest.raises(PipelineError, match="there is no file"):
        passphrase(engine, {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)})
    with pytest.raises(PipelineError, match="no passphrase is set"):
        passphrase(engine, {})
    assert not path.exists()


def test_other_secrets_providers_need_no_passphrase(engine: Engine, example: Path) -> None:
    """A stack that says how its secrets are encrypted is left to it."""
    stack.stack_file(engine)
    file = example / "stacks/Pulumi.dev.yaml"
    file.write_text("secretsprovider: awskms://alias/x\n" + file.read_text())

    passphrase(engine, {})


def test_a_stack_is_pointed_at_a_project(engine: Engine, fake: Fake, example: Path) -> None:
    """What the new project says is set, what only the old one said is removed, and twice is once."""
    stack.stack_file(engine)
    file = example / "stacks/Pulumi.dev.yaml"
    file.write_text(
        file.read_text() + "    health_path: /up\n    python: '3.12'\n  slipway:dependencies:\n    groups: live\n"
    )
    found = {"source": "../shop", "settings_module": "shop.settings"}

    stack.point_at(engine, found, {})
    stack.point_at(engine, {"source": str(example / "examples/guestbook"), "settings_module": "x"}, {})

    assert fake.calls == [
        "config set --path slipway:app.source ../shop --stack dev",
        "config set --path slipway:app.settings_module shop.settings --stack dev",
        "config rm --path slipway:app.health_path --stack dev",
        "config rm slipway:dependencies --stack dev",
    ]


def test_a_stack_with_data_does_not_change_its_project(engine: Engine, fake: Fake, example: Path) -> None:
    """Names on the host come from the project: another one would replace the volumes of the first."""
    stack.stack_file(engine)

    with pytest.raises(PipelineError, match="stack dev runs guestbook with its data; shop would replace both"):
        stack.point_at(engine, {"source": "../shop", "settings_module": "shop.settings"}, {"resources": [1]})
    assert fake.calls == []
    assert example.exists()


def test_a_project_in_a_repository(engine: Engine, fake: Fake, example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is said, and so is that it may not be the newest; a password is read where one is there."""
    fake.when("stack export", out='{"deployment": {}}')
    fake.when("config get secrets:netrc", out="machine git.example.org login robot password token\n")
    file = example / "stacks/Pulumi.dev.yaml"
    shutil.copy(example / "stacks/dev.template.yaml", file)
    with_secrets(file)
    file.write_text(file.read_text().replace("examples/guestbook", "https://git.example.org/guestbook.git"))
    given: list[str | None] = []

    def of(_app: App, _root: Path, _stack: str = "", netrc: checkout.Netrc | None = None) -> checkout.Checkout:
        if netrc:
            given.append(netrc())
        return checkout.Checkout(commit="c" * 40, folder=example / "examples/guestbook", note="it may be an old one")

    monkeypatch.setattr(checkout, "of", of)
    monkeypatch.setenv("PATH", f"{fake.folder}:{os.environ['PATH']}")
    stack.prepare(engine, None)
    file.write_text(file.read_text() + "  secrets:netrc:\n    secure: v1:x\n")
    settings, _ = stack.prepare(engine, None)

    assert settings.app.name == "guestbook"
    assert f"    source: https://git.example.org/guestbook.git, its first branch: {'c' * 40}\n" in printed(engine)
    assert isinstance(engine.console.err, io.StringIO)
    assert "it may be an old one" in engine.console.err.getvalue()
    assert given == [None, "machine git.example.org login robot password token\n"]
