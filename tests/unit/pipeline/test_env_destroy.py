"""Which stacks are destroyed as review environments, in which order, and what happens when one of them fails."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline import targets
from pipeline.console import PipelineError
from pipeline.engine import Engine
from pipeline.env import destroy, lock, record, stackfile
from pipeline.env.record import Record
from pipeline.target import State, Target
from tests.unit.pipeline.fake_pulumi import Fake, printed

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STATE = {
    "resources": [
        {
            "urn": "urn:pulumi:x::slipway::docker-build:index:Image::app",
            "type": "docker-build:index:Image",
            "inputs": {"tags": ["shop:1"]},
        },
    ]
}


def environment(name: str = "pr-1", hours: int = 1) -> Record:
    """Give an environment that is due in so many hours."""
    created = NOW - timedelta(days=1)
    return Record(
        name=name,
        project="shop",
        created=created,
        expires=NOW + timedelta(hours=hours),
        memory_mb=640,
        images=("shop:0",),
    )


def knows(fake: Fake, *found: Record, others: tuple[str, ...] = ()) -> None:
    """Let the backend have these."""
    names = [*(each.stack for each in found), *others]
    fake.when("stack ls", out=json.dumps([{"name": each, "resourceCount": 1} for each in names]))
    for each in found:
        tags = {record.TAG: record.text(each), record.IMAGES: ",".join(each.images)}
        fake.when(f"stack tag ls --json --stack {each.stack}", out=json.dumps(tags))


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A platform that notes what it is asked."""
    noted: list[str] = []

    def images(_engine: Engine, tags: list[str]) -> list[str]:
        noted.append(f"images {' '.join(tags)}")
        return []

    def tidy(*_: object) -> list[str]:
        noted.append("tidy")
        return []

    def left(*_: object) -> list[str]:
        noted.append("left")
        return []

    def sweep(_engine: Engine, _state: State, project: str) -> None:
        noted.append(f"sweep {project}")

    row: Target = replace(
        targets.TARGETS[next(iter(targets.TARGETS))],
        reach=lambda *_: noted.append("reach"),
        free=lambda *_: False,
        tidy=tidy,
        sweep=sweep,
        left=left,
        images=images,
    )
    monkeypatch.setattr(targets, "of_state", lambda *_: row)
    return noted


def test_everything_goes_and_the_state_last(engine_for: Callable[[str], Engine], fake: Fake, order: list[str]) -> None:
    """First what runs, then what is left of it, then the state; afterwards it is asked what is left."""
    engine = engine_for("review-pr-1")
    knows(fake, environment())
    fake.when("stack export", out=json.dumps({"deployment": STATE}))
    fake.when("stack rm", code=0)
    with pytest.raises(PipelineError) as error:  # the made-up backend goes on listing it
        destroy.destroy(engine, "pr-1")

    assert str(error.value) == (
        "of review-pr-1, this is left: stack review-pr-1 in the backend\n"
        "  allowed: nothing\n"
        "  mend:    python -m pipeline env destroy pr-1   # again; or by hand"
    )
    assert order == ["reach", "tidy", "images shop:0 shop:1", "sweep shop", "left"]
    done = [each for each in fake.calls if each.startswith(("destroy", "stack rm"))]
    assert done == [
        "destroy --yes --skip-preview --stack review-pr-1 --non-interactive --color never",
        "stack rm review-pr-1 --yes --remove-backups",
    ]


def test_images_that_another_stack_has_stay(engine_for: Callable[[str], Engine], fake: Fake, order: list[str]) -> None:
    """Asked is the state of every other stack, so that one that is only being built counts too."""
    engine = engine_for("review-pr-1")
    fake.when("stack export", out=json.dumps({"deployment": STATE}))
    building = {"pending_operations": [{"type": "creating", "resource": STATE["resources"][0]}]}
    fake.when("stack export --stack review-pr-2", out=json.dumps({"deployment": building}))
    knows(fake, environment(), others=("review-pr-2",))
    with pytest.raises(PipelineError):
        destroy.destroy(engine, "pr-1")

    assert "images shop:0" in order


@pytest.mark.parametrize("found", [{"slipway:other": "x"}, {record.TAG: record.text(environment("pr-2"))}])
def test_a_stack_that_was_made_otherwise_is_refused(
    found: dict[str, Any], engine_for: Callable[[str], Engine], fake: Fake, order: list[str]
) -> None:
    """Without a record of this very name, nothing of a stack is touched."""
    engine = engine_for("review-pr-1")
    fake.when("stack export", out=json.dumps({"deployment": STATE}))
    fake.when("stack tag ls", out=json.dumps(found))

    with pytest.raises(PipelineError, match=r"^stack review-pr-1 was not made by `env create`; nothing was changed"):
        destroy.destroy(engine, "pr-1")
    assert order == []
    assert not [each for each in fake.calls if each.startswith(("destroy", "stack rm", "config"))]


def test_a_file_that_was_written_by_hand_is_refused(engine_for: Callable[[str], Engine], fake: Fake) -> None:
    """It belongs to somebody, who may not have brought it up yet."""
    engine = engine_for("review-pr-1")
    engine.stack_file.write_text("config: {}\n")
    fake.when("stack export", err="error: no stack named 'review-pr-1' found\n", code=255)

    with pytest.raises(PipelineError, match=r"mend:    make down STACK=review-pr-1"):
        destroy.destroy(engine, "pr-1")
    assert engine.stack_file.exists()


def test_one_that_is_not_there_is_nothing_to_do(engine_for: Callable[[str], Engine], fake: Fake) -> None:
    """What an interrupted command has left in this clone goes, too."""
    engine = engine_for("review-pr-1")
    engine.stack_file.write_text(stackfile.HEADER.format(template="review.template.yaml"))
    engine.log_folder.mkdir(parents=True)
    for name in ("review-pr-1-up.log", "review-pr-1-2-up.log"):
        (engine.log_folder / name).write_text("")
    fake.when("stack export", err="error: no stack named 'review-pr-1' found\n", code=255)

    assert destroy.destroy(engine, "pr-1") is False
    assert not engine.stack_file.exists()
    assert [each.name for each in engine.log_folder.iterdir()] == ["review-pr-1-2-up.log"]


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Destroying only notes the name; pr-2 cannot be destroyed."""
    names: list[str] = []

    def note(engine: Engine, name: str) -> bool:
        names.append(f"{name} {engine.stack}")
        if name == "pr-2":
            raise RuntimeError("the daemon went away")
        return True

    monkeypatch.setattr(destroy, "destroy", note)
    return names


def test_expire_goes_on_after_a_failure(engine: Engine, fake: Fake, gone: list[str], tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """All that are due go, the oldest first; one that fails is named at the end, and in the exit code."""
    engine = replace(engine, environ={**engine.environ, "XDG_CACHE_HOME": str(tmp_path)})
    knows(
        fake,
        environment("pr-1", -1),
        environment("pr-2", -3),
        environment("pr-3", 1),
        environment("pr-4", 0),
        others=("prod",),
    )

    assert destroy.expire(engine, NOW) == 1
    assert gone == ["pr-2 review-pr-2", "pr-1 review-pr-1", "pr-4 review-pr-4"]
    assert "Gone:   pr-1, pr-4\nFailed: pr-2 (the reasons are above); the next run tries again\n" in printed(engine)


def test_expire_has_nothing_to_do(engine: Engine, fake: Fake, gone: list[str], tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """It says when the next one is due."""
    engine = replace(engine, environ={**engine.environ, "XDG_CACHE_HOME": str(tmp_path)})
    knows(fake, environment("pr-3", 2))

    assert destroy.expire(engine, NOW) == 0
    assert printed(engine) == "Nothing is due. The next one is, in 2 h.\n"
    assert gone == []


def test_expire_runs_once_at_a_time(engine: Engine, fake: Fake, gone: list[str], tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """A second run while one is at work leaves everything to the first."""
    engine = replace(engine, environ={**engine.environ, "XDG_CACHE_HOME": str(tmp_path)})
    knows(fake, environment("pr-1", -1))

    with lock.taken(destroy.LOCK, engine.environ) as ours:
        assert ours
        assert destroy.expire(engine, NOW) == 0
    assert printed(engine) == "Another command destroys what is due at this moment: nothing to do.\n"
    assert gone == []
    assert destroy.expire(engine, NOW) == 0
    assert gone == ["pr-1 review-pr-1"]
