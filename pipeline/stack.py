"""Getting a stack ready for Pulumi: its file, its place in the backend, its secrets, the project that it deploys.

What is in a stack's file is checked by the settings; this module only makes sure that there is one to check.
"""

from pathlib import Path
from typing import Any

import yaml

from components import checkout, dependencies
from components.model import Settings
from components.problems import SettingsError
from components.project import source_folder
from components.secrets import missing as secret_problem
from components.settings import name_of
from pipeline import arguments, draft, project, secrets, settings
from pipeline import backend as place
from pipeline.console import problem
from pipeline.engine import Engine

DEV = arguments.DEV


def stack_file(engine: Engine) -> None:
    """Make sure that the stack has a file; the one of dev is made from its template."""
    path = engine.stack_file
    if path.exists():
        return
    template = engine.root / "stacks" / f"{engine.stack}.template.yaml"
    if engine.stack == DEV and template.exists():
        draft.write(path, template.read_text(encoding="utf-8"))
        engine.console.say(f"    made stacks/{path.name} from {template.name}; it belongs to this machine")
        return
    raise settings.no_stack(engine.stack, path)


def backend(engine: Engine) -> None:
    """Make sure that the place of the state is there."""
    place.url(engine.environ)
    if odd := place.doubt(engine.environ):
        engine.console.warn(odd)
    folder = engine.backend_folder()
    if folder is None or folder.is_dir():
        return
    if folder.is_relative_to(engine.root / ".slipway"):
        folder.mkdir(parents=True, mode=0o700)
        return
    raise problem(f"PULUMI_BACKEND_URL: the folder {folder} does not exist", mend=f"mkdir -p {folder}")


def content(engine: Engine) -> dict[str, Any]:
    """What the file of the stack says, as it stands there."""
    settings.read(engine.stack_file)  # says what is wrong with its YAML
    parsed = yaml.safe_load(engine.stack_file.read_text())
    return parsed if isinstance(parsed, dict) else {}


def passphrase(engine: Engine) -> None:
    """Make sure that there is a passphrase where the stack needs one; a new one is made for dev alone."""
    if "PULUMI_CONFIG_PASSPHRASE" in engine.environ or "secretsprovider" in content(engine):
        return
    named = engine.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if not named:
        raise problem(
            f"no passphrase is set, and the secrets of stack {engine.stack} need one",
            allowed="PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
            mend=". .slipway/env",
        )
    path = Path(named)
    if path.is_file():
        return
    if "encryptionsalt" not in content(engine) and path.is_relative_to(engine.root / ".slipway"):
        secrets.make_passphrase(path)
        return
    raise problem(
        f"PULUMI_CONFIG_PASSPHRASE_FILE: there is no file {path}",
        allowed=f"a file with the passphrase that stacks/{engine.stack_file.name} was made with",
        mend="export PULUMI_CONFIG_PASSPHRASE_FILE=path/of/the/right/passphrase",
    )


def prepare(engine: Engine, app: str | None) -> tuple[Settings, dict[str, Any]]:
    """Make the stack ready and give its settings and its state as it was before."""
    backend(engine)
    stack_file(engine)
    passphrase(engine)
    state = engine.exported()
    if state is None:
        engine.must("stack", "init", engine.stack, "--no-select")
        state = {}
    if app is not None:
        point_at(engine, project.find(app, engine.root), state)
    if engine.stack == DEV:
        secrets.init(engine.stack, engine)
    loaded = settings.load(engine.stack, engine.root)
    problems = [secret_problem(name, engine.stack, loaded) for name in secrets.missing(engine.stack, engine.root)]
    if problems:
        raise SettingsError(engine.stack, problems)
    if loaded.promoted.image is not None:
        promoted = loaded.promoted
        engine.console.say(
            f"    image: release {promoted.release} of stack {promoted.stack}, {promoted.image}; nothing is built"
        )
        return loaded, state
    commit = checkout.of(loaded.app, engine.root)
    if commit is not None:
        engine.console.say(f"    source: {loaded.app.source}, {loaded.app.ref or 'its first branch'}: {commit.commit}")
        if commit.note:
            engine.console.warn(commit.note)
    if loaded.app.dockerfile is None:
        source = source_folder(loaded.app, engine.root)
        engine.console.say(f"    dependencies: {dependencies.words(loaded.app, loaded.dependencies, source)}")
    return loaded, state


def point_at(engine: Engine, found: dict[str, str], state: dict[str, Any]) -> None:
    """Write into the stack's file which project it deploys, unless it says so already."""
    said = settings.said(engine.stack, engine.root)
    before = said.get("app") or {}
    now = before.get("source")
    if now is not None and (engine.root / now).resolve() == (engine.root / found["source"]).resolve():
        return
    name = before.get("name") or (name_of(now, engine.root) if now else None)
    other = name_of(found["source"], engine.root)
    if state.get("resources") and name is not None:
        raise problem(
            f"stack {engine.stack} runs {name} with its data; {other} would replace both",
            allowed="one project for each stack",
            mend=f"make down STACK={engine.stack}   # the data of {name} goes, then this command again\n"
            f"cp stacks/dev.template.yaml stacks/Pulumi.{other}.yaml   # or a stack of its own, with a port of its own",
        )
    for key in project.KEYS:
        if key in found:
            engine.config_set(f"slipway:app.{key}", found[key])
        elif key in before:
            engine.must("config", "rm", "--path", f"slipway:app.{key}", "--stack", engine.stack)
    if said.get("dependencies"):
        engine.must("config", "rm", "slipway:dependencies", "--stack", engine.stack)
    engine.console.say(f"    deploys {found['source']} with the settings module {found['settings_module']}")
