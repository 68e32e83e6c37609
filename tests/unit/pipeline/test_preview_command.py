"""The command: what it prints where, its exit codes, and a report also of what fails."""

import io
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from components.problems import Problem as SettingsProblem
from components.problems import SettingsError
from components.settings import parse
from pipeline import __main__ as command_line
from pipeline import settings as settings_command
from pipeline.check.ask import Told
from pipeline.console import Console, problem
from pipeline.engine import Engine, Result
from pipeline.preview import command, images, keyless, migrating
from pipeline.preview import run as running
from pipeline.preview.keyless import Blind, Compared
from pipeline.preview.migration import Migration
from tests.unit.pipeline.test_preview import recorded


@pytest.fixture
def site(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A stack whose preview is a recorded one, without a daemon."""
    loaded = parse(
        {"environment": "dev", "app": {"source": "examples/guestbook", "settings_module": "config.settings"}}, "dev"
    )
    monkeypatch.setattr(command, "Engine", lambda stack, console: Engine(stack, console, engine.root, engine.environ))
    monkeypatch.setattr(command, "_prepared", lambda *_: (loaded, ["an update of this stack was killed"]))
    monkeypatch.setattr(command, "_without_secrets", lambda *_: loaded)
    monkeypatch.setattr(running, "events", lambda *_: Result(0, recorded("docker-release")))
    monkeypatch.setattr(images, "inspect", lambda *_: {})
    return engine


def run(console: Console, *arguments: str) -> int:
    """Run the command."""
    return command_line.main(["preview", *arguments], console)


def streams() -> Console:
    """A console whose streams can be read."""
    return Console(io.StringIO(), io.StringIO())


def text(stream: Any) -> str:  # noqa: ANN401 - a StringIO
    """What is in a stream."""
    said = stream.getvalue()
    assert isinstance(said, str)
    return said


@pytest.mark.usefixtures("site")
def test_the_report_alone_is_on_standard_output() -> None:
    """Progress goes to standard error."""
    console = streams()

    assert run(console, "dev", "--format", "json") == 0
    found = json.loads(text(console.out))
    assert found["notes"] == ["an update of this stack was killed"]
    assert "==> pulumi preview" in text(console.err)


@pytest.mark.usefixtures("site")
def test_the_report_goes_into_a_file(tmp_path: Path) -> None:
    """Text where no format is named; a folder that is not there is told."""
    console = streams()
    assert run(console, "dev", "--output", str(tmp_path / "report.txt")) == 0
    assert (tmp_path / "report.txt").read_text().startswith("Stack dev: 1 danger; 13 of 34 resources change")
    assert text(console.out) == ""
    assert text(console.err).endswith(f"The report is in {tmp_path}/report.txt.\n")

    assert run(console, "dev", "--output", str(tmp_path / "no" / "report.txt")) == 1
    assert f"error: --output {tmp_path}/no/report.txt: cannot be written: No such file or directory" in text(
        console.err
    )


@pytest.mark.usefixtures("site")
def test_a_preview_that_fails_has_a_report_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what had been planned until then."""
    console = streams()
    monkeypatch.setattr(running, "events", lambda *_: Result(1, recorded("docker-protected")))

    assert run(console, "dev", "--format", "markdown") == 1
    said = text(console.out)
    assert said.startswith("<!-- slipway-preview: dev -->\n")
    assert "the volume postgres is protected, and this change would delete it with its data" in said
    assert "- **Protected**, `volume postgres`" in said
    assert "error: the volume postgres is protected" in text(console.err)


@pytest.mark.usefixtures("site")
def test_a_report_and_its_plan_are_of_one_preview(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is reviewed is what is kept."""
    told: list[tuple[str, ...]] = []

    def events(_engine: Engine, *options: str) -> Result:
        told.append(options)
        return Result(0, recorded("docker-release"))

    monkeypatch.setattr(running, "events", events)

    assert run(streams(), "dev", "--format", "markdown", "--save-plan", str(tmp_path / "plan.json")) == 0
    assert told == [("--save-plan", str(tmp_path / "plan.json"))]


@pytest.mark.usefixtures("site")
def test_what_stops_it_before_has_a_report_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are refused, and a passphrase that does not fit."""

    def refused(*_: object) -> object:
        raise SettingsError("dev", [SettingsProblem(key="slipway:web", found="x", allowed="y", mend="z")])

    def wrong(*_: object) -> object:
        raise problem("the passphrase does not open the secrets")

    for raiser, words in ((refused, "slipway:web: found x"), (wrong, "the passphrase does not open the secrets")):
        console = streams()
        monkeypatch.setattr(command, "_prepared", raiser)
        assert run(console, "dev", "--format", "markdown") == 1
        assert f"### Why\n\n```text\n{words}\n" in text(console.out)


@pytest.mark.usefixtures("site")
def test_without_secrets_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the keys of nobody."""
    console = streams()
    blind = Blind(outcome=Result(0, recorded("docker-release")), compared=Compared.NOTHING, reason="it is not here")
    monkeypatch.setattr(keyless, "preview", lambda *_: blind)

    assert run(console, "dev", "--without-secrets") == 0
    said = text(console.out)
    assert said.startswith(
        "Not a comparison: as a whole new stack, dev would have 34 resources, of release ba7c561d5312.\n"
        "Compared with nothing, since it is not here. This is what a whole new stack would be, not what would change: "
        "nothing here tells whether an update would delete data, replace something or be away."
    )


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("name", "code"), [("docker-none", 0), ("kubernetes-scale", 3), ("docker-release", 4), ("docker-protected", 1)]
)
def test_a_job_can_tell_what_was_found(name: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 for changes, 4 for dangers, when asked; a failure is 1 as ever."""
    monkeypatch.setattr(running, "events", lambda *_: Result(code == 1, recorded(name)))

    assert run(streams(), "dev", "--exit-code") == code
    assert run(streams(), "dev", "--format", "text") == (code == 1)


@pytest.mark.usefixtures("site")
def test_a_copy_of_the_state_is_for_previews_without_secrets(tmp_path: Path) -> None:
    """With the keys, the state itself is there."""
    console = streams()

    assert run(console, "dev", "--state", str(tmp_path / "copy.json")) == 1
    assert "error: --state is for a machine that has nothing but a copy of the state\n" in text(console.err)


def test_without_secrets_nothing_is_written_for_a_project(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--app` writes into the stack's file; a stack that has none is not made."""
    monkeypatch.setattr(command, "Engine", lambda stack, console: Engine(stack, console, engine.root, engine.environ))
    console = streams()
    assert run(console, "dev", "--without-secrets", "--app", "x") == 1
    assert "--app writes into the stack's file, and --without-secrets writes nowhere" in text(console.out)

    console = streams()
    assert run(console, "dev", "--without-secrets", "--save-plan", "plan.json") == 1
    assert "--save-plan keeps a plan that needs the secrets, and --without-secrets has none" in text(console.out)

    console = streams()
    assert run(console, "nobody", "--without-secrets") == 1
    assert "there is no stack nobody" in text(console.out)

    (engine.root / "stacks" / "Pulumi.prod.yaml").write_text("config: {slipway:web: {replicas: 1}}\n")
    loaded = parse(
        {"environment": "dev", "app": {"source": "examples/guestbook", "settings_module": "config.settings"}}, "prod"
    )
    monkeypatch.setattr(settings_command, "load", lambda *_: loaded)
    console = streams()
    assert run(console, "prod", "--without-secrets") == 1
    assert "secrets:django_key: found nothing" in text(console.out)


def test_migrations_are_read_from_what_the_image_said() -> None:
    """Those without a cross, in order, with the SQL of each."""
    said = "[X]  shop.0001_initial\n[ ]  shop.0002_price\n[ ]  blog.0001_initial\nsomething else\n"
    told = [
        Told(name="showmigrations --plan", code=0, said=said, seconds=1),
        Told(name="python manage.py sqlmigrate --no-color shop 0002_price", code=0, said="ALTER;", seconds=1),
        Told(name="python manage.py migrate --no-input --no-color shop 0002_price", code=0, said="OK", seconds=1),
    ]

    assert migrating.pending(told) == (
        Migration(name="shop.0002_price", sql="ALTER;"),
        Migration(name="blog.0001_initial", sql=""),
    )


@pytest.mark.parametrize(
    ("image", "here", "found", "asked"),
    [
        ("127.0.0.1:5000/shop:1", False, True, ["pull 127.0.0.1:5000/shop:1", "remove 127.0.0.1:5000/shop:1"]),
        ("127.0.0.1:5000/shop:1", True, True, []),
        ("127.0.0.1:5000/shop:1", False, False, ["pull 127.0.0.1:5000/shop:1"]),
        ("shop:1", False, True, []),
        ("", False, True, []),
    ],
)
def test_the_image_that_runs_on_a_cluster_is_fetched_for_a_while(  # noqa: PLR0913, PLR0917 - a row of the table
    image: str,
    here: bool,  # noqa: FBT001 - a case of the test
    found: bool,  # noqa: FBT001 - a case of the test
    asked: list[str],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is in a registry alone. What was here stays; what a host built is in no registry."""
    said: list[str] = []

    class Images:
        def get(self, _name: str) -> None:
            if not here:
                raise docker.errors.ImageNotFound("x")

        def pull(self, name: str) -> None:
            said.append(f"pull {name}")
            if not found:
                raise docker.errors.APIError("x")

        def remove(self, name: str) -> None:
            said.append(f"remove {name}")

    @contextmanager
    def daemon(_environ: object) -> Any:  # noqa: ANN401 - a made-up client
        yield type("Client", (), {"images": Images()})

    monkeypatch.setattr(migrating, "daemon", daemon)
    with migrating.fetched(engine, image):
        assert not [each for each in said if each.startswith("remove")]
    assert said == asked


@pytest.mark.parametrize("error", [docker.errors.ImageNotFound("x"), docker.errors.APIError("x")])
def test_images_that_the_daemon_does_not_have_are_not_known(
    error: docker.errors.APIError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without a daemon, none is."""

    class Images:
        def get(self, _name: str) -> object:
            raise error

    @contextmanager
    def daemon(_environ: object) -> Any:  # noqa: ANN401 - a made-up client
        yield type("Client", (), {"images": Images()})

    monkeypatch.setattr(images, "daemon", daemon)
    assert images.inspect({}, ["postgres:17"]) == {}

    def none(_environ: object) -> object:
        raise problem("no daemon")

    monkeypatch.setattr(images, "daemon", none)
    assert images.inspect({}, ["postgres:17"]) == {}
