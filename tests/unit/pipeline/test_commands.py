"""The commands as a whole: arguments, order, exit codes; with a made-up Pulumi and no daemon."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import docker.errors
import pytest

from components import agent
from components.problems import SettingsError
from pipeline import __main__ as command_line
from pipeline import doctor, down, interrupted, settings, stack, targets, up
from pipeline.console import Console, PipelineError, problem
from pipeline.engine import Engine, InterruptedUpdateError, Result
from pipeline.host import doctor as host_doctor
from pipeline.host import failed as host_failed
from pipeline.host import tidy
from pipeline.page import Page
from pipeline.preview import command as preview
from pipeline.target import Finding, Served, Target
from tests.sample import settings as sample
from tests.unit.pipeline.fake_pulumi import Fake, printed

if TYPE_CHECKING:
    from components.model import Settings


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "check",
        "up",
        "preview",
        "down",
        "env",
        "doctor",
        "drift",
        "promote",
        "data",
        "manifests",
        "settings",
        "secrets",
        "comment",
        "generate",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` works everywhere."""
    with pytest.raises(SystemExit) as end:
        command_line.main([command, "--help"])
    assert end.value.code == 0
    assert "usage: python -m pipeline" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["init", "check", "up", "preview", "down", "doctor", "drift", "promote", "comment"])
def test_help_about_stacks_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line is learned from examples."""
    with pytest.raises(SystemExit):
        command_line.main([command, "--help"])
    assert "examples:\n  python -m pipeline " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "name"), [(["up"], "dev"), (["up", "prod"], "prod"), (["up", "--stack", "staging"], "staging")]
)
def test_the_stack_is_given_by_position_or_by_name(argv: list[str], name: str) -> None:
    """Without one, it is dev."""
    assert command_line.parser().parse_args(argv).stack == name


def test_wrong_arguments_have_a_code_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse does it."""
    with pytest.raises(SystemExit) as end:
        command_line.main(["upp"])
    assert end.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (problem("no daemon", mend="start it"), 1, "error: no daemon\n  mend:    start it\n"),
        (InterruptedUpdateError(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_text_and_exit_codes(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback reaches a user."""

    def fails(*_: object) -> int:
        raise error

    monkeypatch.setattr(up, "run", fails)
    console = Console(io.StringIO(), io.StringIO())

    assert command_line.main(["up"], console) == code
    assert console.err.getvalue() == said  # type: ignore[attr-defined]  # the stream is a StringIO


def test_the_problems_of_settings_are_printed_like_all_others(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Key, what was found, what is allowed, the mend."""
    (root / "stacks/Pulumi.dev.yaml").write_text("config:\n  slipway:environment: live\n")
    monkeypatch.setattr(up, "run", lambda *_: settings.load("dev", root))
    console = Console(io.StringIO(), io.StringIO())

    assert command_line.main(["up"], console) == 1
    assert 'error: slipway:environment: found "live"\n  allowed: one of dev' in console.err.getvalue()  # type: ignore[attr-defined]  # the fixture writes into text


def note(order: list[str], name: str, answer: object = None) -> Any:  # noqa: ANN401 - takes the place of many functions
    """Make a function that notes that it was called."""

    def noted(*_arguments: object, **_options: object) -> object:
        order.append(name)
        return answer

    return noted


def row(order: list[str], answer: int = 200, stays: list[str] | None = None, *, freed: bool = False) -> Target:
    """A made-up target that notes what is asked of it."""
    page = Page("http://127.0.0.1:8080/", answer, 0.012)
    return Target(
        check=note(order, "check", []),
        doubts=note(order, "doubts", ["the platform was not asked"]),
        reasons=note(order, "logs"),
        remove_half_made=note(order, "half made"),
        settle=note(order, "settle"),
        serve=note(order, "page", Served(page=page, notes=("a way to it",), log="read the log")),
        reach=note(order, "reach"),
        free=note(order, "free", freed),
        tidy=note(order, "tidy", stays or []),
        sweep=note(order, "sweep"),
        left=note(order, "left", []),
        images=note(order, "images", []),
        gone="everything",
        platform=note(order, "platform"),
        running=note(order, "running"),
        served=note(order, "served"),
        look=note(order, "look"),
        clear=note(order, "clear"),
    )


PROTECTED = {
    "resources": [
        {"urn": "urn:pulumi:prod::slipway::pulumi:pulumi:Stack::slipway-prod", "type": "pulumi:pulumi:Stack"},
        {"urn": "urn:pulumi:prod::slipway::docker:index/volume:Volume::postgres", "type": "v", "protect": True},
    ]
}


def test_down_destroys_no_protected_data(engine: Engine, fake: Fake) -> None:
    """It says what holds it and how to let it go, before anything is destroyed."""
    with pytest.raises(PipelineError, match="stack dev holds protected data: postgres; nothing was destroyed") as error:
        down.refuse_protected(engine, PROTECTED)
    assert error.value.problems[0].mend == (
        "python -m pipeline down dev --keep-data   # everything else goes\n"
        "# or, for good:\n"
        "pulumi config set --path slipway:data.protect false --stack dev\nmake up STACK=dev && make down STACK=dev"
    )
    assert fake.calls == []
    down.refuse_protected(engine, {"resources": PROTECTED["resources"][:1]})


def test_down_keeps_no_data_that_nothing_protects(engine: Engine) -> None:
    """All of it would go, which is the contrary of what was asked for."""
    with pytest.raises(PipelineError) as error:
        down.refuse_unprotected(engine, {"resources": PROTECTED["resources"][:1]})
    assert str(error.value) == (
        "--keep-data: stack dev holds no protected data, so that all of it would go; nothing was destroyed\n"
        "  allowed: slipway:data.protect true\n"
        "  mend:    pulumi config set --path slipway:data.protect true --stack dev\n"
        "           make up STACK=dev && python -m pipeline down dev --keep-data"
    )
    down.refuse_unprotected(engine, PROTECTED)
    down.refuse_unprotected(engine, {})


@pytest.mark.parametrize(("freed", "tries"), [(True, 2), (False, 1)])
def test_down_tries_again_once_something_was_freed(  # noqa: PLR0913, PLR0917 - what pytest hands over
    freed: bool,  # noqa: FBT001 - what the platform answers
    tries: int,
    engine: Engine,
    fake: Fake,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Docker held for nobody is let go, and the destroy goes on; without that, a second try would fail as well."""
    (root / "stacks/Pulumi.dev.yaml").write_text("config: {}\n")
    fake.when("stack export", out=json.dumps({"deployment": {"resources": PROTECTED["resources"][:1]}}))
    fake.when("destroy", out="error: network dev-edge id 5f has active endpoints\n", code=255)
    monkeypatch.setattr(down, "Engine", lambda *_: engine)
    order: list[str] = []
    monkeypatch.setattr(targets, "of_state", lambda *_: row(order, freed=freed))

    with pytest.raises(
        PipelineError, match="Docker does not remove network dev-edge, since something is still connect"
    ):
        down.run(command_line.parser().parse_args(["down"]), engine.console)
    assert order == ["reach", "free"]
    assert [call.split(" ")[0] for call in fake.calls].count("destroy") == tries


@pytest.mark.parametrize(
    ("argv", "state", "called", "said"),
    [
        (
            ["down"],
            {"resources": PROTECTED["resources"][:1]},
            ["destroy --yes --skip-preview", "stack rm dev --yes --preserve-config --remove-backups"],
            "Gone:   everything and state of dev\nKept:   the registry\nKept:   stacks/Pulumi.dev.yaml",
        ),
        (
            ["down", "--keep-data"],
            PROTECTED,
            ["destroy --yes --skip-preview --exclude-protected"],
            "Kept:   protected data: postgres; `make up STACK=dev` finds it\nKept:   the registry\nKept:   stacks/",
        ),
    ],
)
def test_down_says_what_goes_and_what_stays(  # noqa: PLR0913, PLR0917 - what pytest hands over
    argv: list[str],
    state: dict[str, Any],
    called: list[str],
    said: str,
    engine: Engine,
    fake: Fake,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its data goes the state; data that is kept is known by the state that stays."""
    (root / "stacks/Pulumi.dev.yaml").write_text("config: {}\n")
    fake.when("stack export", out=json.dumps({"deployment": state}))
    monkeypatch.setattr(down, "Engine", lambda *_: engine)
    monkeypatch.setattr(targets, "of_state", lambda *_: row([], stays=["the registry"]))

    assert down.run(command_line.parser().parse_args(argv), engine.console) == 0
    assert [call.split(" --stack")[0] for call in fake.calls] == ["stack export", *called]
    assert said in printed(engine)


def test_down_knows_the_images_that_the_stack_has_built() -> None:
    """By the tags in the state."""
    state = {
        "resources": [
            {"type": "docker-build:index:Image", "inputs": {"tags": ["shop:1a", "shop:2b"]}},
            {"type": "docker:index/remoteImage:RemoteImage", "inputs": {"name": "postgres:17"}},
        ]
    }
    assert tidy.images(state) == ["shop:1a", "shop:2b"]


def test_down_knows_the_image_that_was_promoted() -> None:
    """No lookup of the state gave it: its containers name it by its id."""
    looked_up, promoted = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    state = {
        "resources": [
            {"type": "docker:index/remoteImage:RemoteImage", "outputs": {"imageId": looked_up}},
            {"type": "docker:index/container:Container", "inputs": {"image": looked_up}},
            *[{"type": "docker:index/container:Container", "inputs": {"image": promoted}}] * 2,
            {"type": "docker:index/container:Container", "inputs": {"image": "a-name"}},
        ]
    }
    assert tidy.promoted(state) == [promoted]
    assert tidy.promoted({}) == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy"}}, None),
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "starting", "FailingStreak": 0}}, None),
        (
            {"Status": "running", "ExitCode": 0, "Health": {"Status": "starting", "FailingStreak": 2}},
            "is not healthy yet",
        ),
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "unhealthy"}}, "is unhealthy"),
        ({"Status": "exited", "ExitCode": 0}, None),
        ({"Status": "exited", "ExitCode": 3}, "ended with exit code 3"),
        ({"Status": "restarting", "ExitCode": 1}, "restarts again and again"),
    ],
)
def test_what_is_wrong_with_a_container_is_said(state: dict[str, Any], said: str | None) -> None:
    """A container that did its work is as well as one that runs."""
    assert host_failed.unwell({"State": state}) == said


@pytest.mark.parametrize(
    ("state", "restart", "expected"),
    [
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy"}}, "unless-stopped", "ok"),
        ({"Status": "running", "ExitCode": 0}, "unless-stopped", "ok"),
        ({"Status": "exited", "ExitCode": 0}, "no", "ok"),
        ({"Status": "created", "ExitCode": 0}, "no", "ok"),
        ({"Status": "created", "ExitCode": 0}, "unless-stopped", "broken"),
        ({"Status": "exited", "ExitCode": 0}, "unless-stopped", "broken"),
        ({"Status": "exited", "ExitCode": 1}, "no", "broken"),
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "unhealthy"}}, "unless-stopped", "broken"),
    ],
)
def test_doctor_tells_finished_tasks_from_stopped_services(state: dict[str, Any], restart: str, expected: str) -> None:
    """A one-shot that ended well is fine; a service that ended is not, and its log is named."""
    finding = host_doctor.container_finding(
        "box", {"State": state, "HostConfig": {"RestartPolicy": {"Name": restart}}}, "web"
    )

    assert finding.state == expected
    assert (finding.mend is None) == (expected == "ok")


def test_doctor_finds_problems_without_stopping_at_the_first(
    engine: Engine, fake: Fake, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No daemon, an unknown setting, an update that was killed: all are in one report, each with its mend."""
    engine = Engine(
        engine.stack, engine.console, root, {**engine.environ, "DOCKER_HOST": "unix:///nonexistent"}, engine.program
    )
    (root / "stacks/Pulumi.dev.yaml").write_text("config:\n  slipway:environmnt: dev\n")
    pending = [{"type": "creating", "resource": {"urn": "urn:pulumi:dev::slipway::c::web-1"}}]
    fake.when("stack export", out=json.dumps({"deployment": {"pending_operations": pending}}))
    monkeypatch.setattr(doctor, "tools", lambda _: iter([Finding("pulumi", "ok", "3.259.0")]))

    findings = list(doctor.look(engine))

    broken = {finding.name: finding for finding in findings if finding.state == "broken"}
    assert set(broken) == {"docker", "settings", "state", "running"}
    assert all(finding.mend for finding in broken.values())
    assert "web-1" in broken["state"].detail


def test_doctor_looks_at_a_project(engine: Engine, tmp_path: Path) -> None:
    """What ``up`` would make of the folder, or why it can make nothing of it."""
    (tmp_path / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")')
    [finding] = doctor.django_project(engine, str(tmp_path))
    assert finding.state == "ok"
    assert finding.detail == f"{tmp_path} with the settings module shop.settings"

    (tmp_path / "manage.py").unlink()
    with pytest.raises(PipelineError, match=r"has no manage\.py"):
        list(doctor.django_project(engine, str(tmp_path)))


class Steps:
    """Takes the place of everything that ``up`` calls, and notes the order."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, engine: Engine, state: dict[str, Any], code: int, answer: int = 200
    ) -> None:
        self.order: list[str] = []
        self.hosts: list[str] = []
        said = {
            "app": type("App", (), {"name": "shop"}),
            "dependencies": type("", (), {"ssh_hosts": self.hosts}),
            "promoted": type("", (), {"image": None}),
        }
        self.settings = type("Settings", (), said)
        target = row(self.order, answer)
        for command in (up, preview):
            monkeypatch.setattr(command, "Engine", lambda *_: engine)
        monkeypatch.setattr(interrupted, "release_stale_locks", note(self.order, "locks"))
        monkeypatch.setattr(stack, "prepare", note(self.order, "prepare", (self.settings, state)))
        monkeypatch.setattr(targets, "of", lambda _: target)
        monkeypatch.setattr(targets, "refuse_move", lambda *_: None)
        monkeypatch.setattr(interrupted, "mend", note(self.order, "mend"))
        monkeypatch.setattr(Engine, "stream", note(self.order, "pulumi", Result(code, "said")))

    def run(self, engine: Engine) -> int:
        """Run ``up``."""
        return up.run(command_line.parser().parse_args(["up"]), engine.console)


def test_preview_warns_of_what_an_update_would_stumble_over(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on all the same, since it changes nothing."""
    steps = Steps(monkeypatch, engine, {}, 0)

    assert preview.run(command_line.parser().parse_args(["preview"]), engine.console) == 0
    assert steps.order == ["prepare", "doubts", "pulumi"]
    assert engine.console.err.getvalue() == "warning: the platform was not asked\n"  # type: ignore[attr-defined]  # the stream is a StringIO


def test_no_ssh_agent(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview says what an update would need; an update does not begin; the doctor has the command."""
    steps = Steps(monkeypatch, engine, {}, 0)
    steps.hosts.append("git.example.org ssh-ed25519 AAAA")
    said = "slipway:dependencies.ssh_hosts: found hosts that the build reaches by SSH, and no SSH agent: SSH_AUTH_SOCK is not set"

    assert preview.run(command_line.parser().parse_args(["preview"]), engine.console) == 0
    assert engine.console.err.getvalue().endswith(f"warning: an update would need an SSH agent; {said}\n")  # type: ignore[attr-defined]  # the stream is a StringIO
    with pytest.raises(SettingsError, match=re.escape(said)):
        steps.run(engine)
    assert steps.order == ["prepare", "doubts", "pulumi", "locks", "prepare"]
    mend = 'eval "$(ssh-agent)" && ssh-add PATH_OF_THE_KEY'
    assert list(doctor.ssh_agent(engine, [cast("Settings", steps.settings)])) == [
        Finding("ssh agent", "broken", said, mend)
    ]


@pytest.mark.parametrize(("count", "said"), [(1, "has 1 key"), (2, "has 2 keys")])
def test_doctor_counts_the_keys_of_the_ssh_agent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, said: str
) -> None:
    """Where a stack needs one; where it needs none nothing is said."""
    host = "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEnE6s0MrSuN7mPbt3zTRrHMkY0iXUsv0fQjqKJrcXdA"
    wanted = sample({"dependencies": {"ssh_hosts": host}})
    monkeypatch.setattr(agent, "keys", lambda _: count)
    asking = replace(engine, environ={"SSH_AUTH_SOCK": "/run/agent"})

    assert list(doctor.ssh_agent(asking, [wanted])) == [Finding("ssh agent", "ok", said)]
    assert list(doctor.ssh_agent(asking, [sample()])) == []
    assert list(doctor.ssh_agent(asking, [])) == []


def test_up_checks_mends_updates_and_asks_the_page(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order; mending only where there is something to mend."""
    state = {"pending_operations": [{"type": "creating"}]}
    steps = Steps(monkeypatch, engine, state, 0)

    assert steps.run(engine) == 0
    assert steps.order == ["locks", "prepare", "check", "mend", "pulumi", "page"]
    assert (
        "Served: http://127.0.0.1:8080/  (HTTP 200 in 12 ms)\n        a way to it\nTime:   checks 0.0 s, mending"
        in printed(engine)
    )


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{"urn": "urn::a"}], ["up --yes --skip-preview --refresh"]),
        (
            [{"urn": "urn::a"}, {"urn": "urn::b", "initErrors": ["unhealthy"]}],
            ["refresh --yes --skip-preview --suppress-outputs --exclude urn::b", "up --yes --skip-preview"],
        ),
    ],
)
def test_up_looks_again_where_something_stopped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, resources: list[dict[str, Any]], expected: list[str]
) -> None:
    """Except at what never got healthy, which an update would take for good from then on."""
    steps = Steps(monkeypatch, engine, {"resources": resources}, 0)
    monkeypatch.setattr(targets, "of", lambda _: replace(row(steps.order), check=lambda *_: ["shop-dev-redis"]))
    said: list[str] = []

    def stream(_engine: Engine, *words: str) -> Result:
        said.append(" ".join(words))
        return Result(0, "")

    monkeypatch.setattr(Engine, "stream", stream)

    assert steps.run(engine) == 0
    assert said == expected
    assert steps.order[-2:] == ["settle", "page"]


def test_up_fails_when_pulumi_does(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last words of the containers are printed, and the page is not asked."""
    steps = Steps(monkeypatch, engine, {}, 255)

    with pytest.raises(PipelineError, match="the update of stack dev failed"):
        steps.run(engine)
    assert steps.order == ["locks", "prepare", "check", "pulumi", "logs"]


def test_up_fails_when_the_page_does_not_answer(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Pulumi calls a success is not one yet."""
    steps = Steps(monkeypatch, engine, {}, 0, answer=502)

    with pytest.raises(PipelineError, match=r"everything is up, but http://127\.0\.0\.1:8080/ answers 502") as error:
        steps.run(engine)
    assert error.value.problems[0].mend == "read the log"


def test_the_daemon_is_asked_only_as_long_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that another container uses stays; any other error is not hidden."""
    removed: list[str] = []

    class Images:
        def remove(self, tag: str) -> None:
            if tag == "shop:gone":
                raise docker.errors.ImageNotFound("gone")
            removed.append(tag)

    class Daemon:
        images = Images()

    @contextlib.contextmanager
    def daemon(_environ: object) -> Iterator[Any]:
        yield Daemon()

    monkeypatch.setattr(tidy, "daemon", daemon)
    tidy.remove_images(Engine("dev", Console(io.StringIO())), ["shop:gone", "shop:1a"])

    assert removed == ["shop:1a"]
