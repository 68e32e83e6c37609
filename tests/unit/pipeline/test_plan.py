"""A plan goes from a preview into a file, and from there into an update."""

import json
from pathlib import Path

import pytest

from pipeline import __main__ as command_line
from pipeline import down, plan, stack, targets, up
from pipeline.console import PipelineError
from pipeline.engine import Engine
from pipeline.preview import command as preview
from tests.sample import settings
from tests.unit.pipeline.fake_pulumi import Fake
from tests.unit.pipeline.test_commands import row

PLAN = json.dumps({"resourcePlans": {}})


@pytest.fixture
def ready(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose stack needs nothing."""
    for module in (preview, up, down):
        monkeypatch.setattr(module, "Engine", lambda *_: engine)
    monkeypatch.setattr(stack, "prepare", lambda *_: (settings(), {}))
    monkeypatch.setattr(targets, "of", lambda *_: row([]))
    return engine


def test_a_plan_is_kept_and_followed(
    ready: Engine, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi, which runs in the folder of the repository, is given the whole path."""
    monkeypatch.chdir(tmp_path)

    assert command_line.main(["preview", "prod", "--save-plan", "plan.json"], ready.console) == 0
    (tmp_path / "plan.json").write_text(PLAN)
    assert command_line.main(["up", "prod", "--plan", "plan.json"], ready.console) == 0

    assert [call.partition(" --stack")[0] for call in fake.calls] == [
        f"preview --diff --save-plan {tmp_path}/plan.json",
        f"up --yes --skip-preview --plan {tmp_path}/plan.json",
    ]


def test_without_a_plan_nothing_is_said_about_one(ready: Engine, fake: Fake) -> None:
    """As before there were any."""
    command_line.main(["preview"], ready.console)
    command_line.main(["up"], ready.console)
    assert [call.partition(" --stack")[0] for call in fake.calls] == ["preview --diff", "up --yes --skip-preview"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "--plan: plan.json cannot be read: No such file or directory"),
        ("{", "--plan: plan.json is no plan of Pulumi"),
        ("[]", "--plan: plan.json is no plan of Pulumi"),
        ('{"resources": []}', "--plan: plan.json is no plan of Pulumi"),
    ],
)
def test_what_is_no_plan_is_refused(
    content: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else is looked at, with the command that makes one."""
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "plan.json").write_text(content)
    arguments = command_line.parser().parse_args(["up", "prod", "--plan", "plan.json"])

    with pytest.raises(PipelineError) as error:
        plan.use(arguments)

    assert error.value.problems[0].found == found
    assert error.value.problems[0].mend == "python -m pipeline preview prod --save-plan plan.json"


def test_a_plan_needs_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi would say so after the whole preview."""
    monkeypatch.chdir(tmp_path)
    arguments = command_line.parser().parse_args(["preview", "prod", "--save-plan", "out/plan.json"])
    with pytest.raises(PipelineError) as error:
        plan.save(arguments)
    assert str(error.value) == "--save-plan: there is no folder out\n  mend:    mkdir -p out"
