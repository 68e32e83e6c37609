"""The data that a review environment starts with: what is looked at before, and which setting an error names."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.model import Settings
from pipeline.console import PipelineError, problem
from pipeline.data import archive
from pipeline.data import command as data
from pipeline.engine import Engine
from pipeline.env import create, destroy, record, seed, stackfile
from tests.sample import settings
from tests.unit.pipeline.fake_pulumi import Fake

AGAIN = "python -m pipeline env create pr-1"


@pytest.fixture
def review(engine_for: Callable[[str], Engine]) -> Engine:
    """The stack of an environment."""
    return engine_for("review-pr-1")


def loaded(root: Path, seeded: dict[str, Any], **said: Any) -> Settings:  # noqa: ANN401 - settings are of many types
    """The settings of an environment whose project is in the folder ``shop`` of the repository."""
    (root / "shop").mkdir(exist_ok=True)
    return settings(
        {"environment": "review", "app": {"source": str(root / "shop")}, "review": {"seed": seeded}, **said}
    )


def dumped(path: Path, postgres: str = "17.6") -> Path:
    """Write a dump."""
    with archive.create(path) as writer:
        for name in (archive.DATABASE, archive.UPLOADS):
            with writer.part(name) as write:
                write(b"PGDMP")
        writer.finish(
            archive.Manifest(
                made="2026-11-20T22:00:00+00:00",
                project="shop",
                stack="staging",
                target="docker",
                release="1a2b",
                postgres=postgres,
                uploads=0,
                parts=dict(writer.parts),
            )
        )
    return path


def refused(engine: Engine, said: Settings) -> str:
    """Give what is said where an environment is refused."""
    with pytest.raises(PipelineError) as error:
        seed.check(engine, said, AGAIN)
    return str(error.value)


def test_what_is_there_is_fine(review: Engine, root: Path) -> None:
    """A fixture of the project, one in a repository that is not here yet, a dump, a command, and nothing at all."""
    dump = dumped(root / "anonymised.tar")
    fixture = loaded(root, {"fixture": "review.json"})
    (root / "shop/review.json").write_text("[]")

    seed.check(review, fixture, AGAIN)
    elsewhere = {"app": {"source": "https://git.example.org/shop.git"}}
    seed.check(review, loaded(root, {"fixture": "fixtures/other.json"}, **elsewhere), AGAIN)
    for said in ({"dump": str(dump)}, {"dump": "anonymised.tar"}, {"command": "python manage.py make_data"}, {}):
        seed.check(review, loaded(root, said), AGAIN)


def test_a_fixture_that_is_not_there(review: Engine, root: Path) -> None:
    """The setting and the folder that was looked at are named."""
    assert refused(review, loaded(root, {"fixture": "fixtures/none.json"})) == (
        f'slipway:review.seed.fixture: found "fixtures/none.json", and {root}/shop has no such file; nothing was made\n'
        "  allowed: a file inside the folder with manage.py\n"
        f"  mend:    {AGAIN}   # once it is there"
    )


def test_a_dump_that_is_not_there(review: Engine, root: Path) -> None:
    """The setting is named, and not the option of another command."""
    assert refused(review, loaded(root, {"dump": "none.tar"})) == (
        f"slipway:review.seed.dump: {root}/none.tar: there is no such file; nothing was made\n"
        "  allowed: a file made by `data dump`\n"
        f"  mend:    python -m pipeline data dump STACK --to {root}/none.tar"
    )


def test_a_dump_that_is_damaged(review: Engine, root: Path) -> None:
    """Its fingerprints are looked at before anything is made."""
    dump = dumped(root / "dump.tar")
    dump.write_bytes(dump.read_bytes().replace(b"PGDMP", b"PGDMQ", 1))

    assert "slipway:review.seed.dump: " in refused(review, loaded(root, {"dump": str(dump)}))
    assert "database.dump is damaged; nothing was made" in refused(review, loaded(root, {"dump": str(dump)}))


def test_a_dump_of_a_newer_server(review: Engine, root: Path) -> None:
    """Where the image says its version; one by digest says it once it runs."""
    dump = dumped(root / "dump.tar", postgres="18.1")
    said = loaded(root, {"dump": str(dump)}, postgres={"image": "postgres:17"})

    assert refused(review, said) == (
        f"slipway:review.seed.dump: {dump} comes from PostgreSQL 18.1, and slipway:postgres.image is postgres:17; "
        "nothing was made\n"
        "  allowed: a dump of the same major version or an older one\n"
        f"  mend:    {AGAIN}   # with a newer slipway:postgres.image in the template"
    )


def test_a_dump_for_a_database_of_somebody_else(review: Engine, root: Path) -> None:
    """It is not ours to replace."""
    said = loaded(root, {"dump": str(dumped(root / "dump.tar"))}, postgres={"provider": "external"})

    assert "slipway:postgres.provider is external: that database is not Slipway's to replace" in refused(review, said)


def test_a_restore_that_fails_names_the_setting(review: Engine, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the command that tries once more."""

    def fail(arguments: Any, _console: object) -> int:  # noqa: ANN401 - a namespace
        assert (arguments.stack, arguments.file, arguments.replace) == ("review-pr-1", root / "dump.tar", True)
        raise problem("the file has migrations that release ffff lacks", allowed="others", mend="make up")

    monkeypatch.setattr(data, "restore", fail)
    with pytest.raises(PipelineError) as error:
        seed.restore(review, "dump.tar", AGAIN)

    assert str(error.value) == (
        "slipway:review.seed.dump: the file has migrations that release ffff lacks; review-pr-1 is not seeded\n"
        "  allowed: others\n"
        f"  mend:    {AGAIN}   # tries once more"
    )


@pytest.mark.parametrize("name", ["fixture", "command"])
def test_a_step_that_fails_names_the_setting(root: Path, name: str) -> None:
    """Nobody has written the step's own name anywhere. What failed beside it stays as it was said."""
    error = PipelineError(
        *problem("slipway:release.once.review-seed: `x` failed with exit code 3", mend="as usual").problems,
        *problem("another", mend="as usual").problems,
    )

    found = seed.explained(error, loaded(root, {name: "x"}).review, AGAIN)

    assert str(found) == (
        f"slipway:review.seed.{name}: `x` failed with exit code 3\n"
        f"  mend:    {AGAIN}   # once the project is mended: it begins with an empty database\n"
        "another\n"
        "  mend:    as usual"
    )


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ({}, None),
        ({"config": {"slipway:release": {"once": {"superuser": "x"}}}}, None),
        ({"config": {"slipway:release": "x"}}, None),
        ({"config": {"slipway:release": {"once": {"review-seed": "x"}}}}, "x"),
    ],
)
def test_the_step_of_a_file(kept: dict[str, Any], found: str | None) -> None:
    """What brought the data of an environment that is there."""
    assert seed.step_of(kept) == found


@pytest.mark.parametrize(("seeded", "anew"), [(False, True), (True, False)])
def test_what_was_never_up_with_its_data_is_made_anew(
    review: Engine, fake: Fake, monkeypatch: pytest.MonkeyPatch, *, seeded: bool, anew: bool
) -> None:
    """Its step may have run, or half of it. It keeps the time that it has to live; what has its data stays as it is."""
    noted = record.Record(
        name="pr-1",
        project="shop",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        expires=datetime(2026, 1, 9, tzinfo=UTC),
        memory_mb=640,
        release="1a2b",
        seeded=seeded,
        images=("shop:1a2b",),
    )
    tags = {record.TAG: record.text(noted), record.IMAGES: "shop:1a2b"}
    fake.when("stack export", json.dumps({"deployment": {"resources": [{"urn": "a", "type": "x"}]}}))
    fake.when("stack tag ls", json.dumps(tags))
    fake.when("config refresh")
    content = {"encryptionsalt": "v1:", "config": {"slipway:release": {"once": {seed.STEP: "x"}}, "secrets:a": "b"}}
    review.stack_file.write_text("# Made by `python -m pipeline env create`\n" + yaml.safe_dump(content))
    gone: list[str] = []
    monkeypatch.setattr(destroy, "refuse_others", lambda *_: None)
    monkeypatch.setattr(destroy, "destroy", lambda _engine, name: gone.append(name))

    found = create._look(review, create.Wanted(name="pr-1"))

    assert gone == (["pr-1"] if anew else [])
    assert (found.state is None) is anew
    assert found.record == (replace(noted, release=None, images=()) if anew else noted)
    assert found.kept == ({} if anew else content)


def test_the_command_that_is_to_be_run_again(root: Path) -> None:
    """It makes the same environment: from the same template, of the same commit."""
    said = {"slipway:environment": "review", "slipway:app": {"source": "shop", "settings_module": "shop.settings"}}
    for name in ("review", "small"):
        (root / f"stacks/{name}.template.yaml").write_text(yaml.safe_dump({"config": said}))

    usual, small = stackfile.read("review", root), stackfile.read("small", root)
    assert create._command(usual, create.Wanted(name="pr-1")) == AGAIN
    assert create._command(small, create.Wanted(name="pr-1", ref="a'b")) == f"{AGAIN} --from small --ref 'a'\"'\"'b'"
