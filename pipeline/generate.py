"""``python -m pipeline generate``: writes what follows from the model of the settings, so that nothing drifts apart.

That is ``Pulumi.yaml``, the JSON Schema of stack files, the reference page and the one about sizes. Nothing in them is
written by hand.
"""

import argparse
import json
from pathlib import Path
from typing import Any, get_origin

import yaml

from components import secrets
from components.defaults import BY_KIND, COMMON, DERIVED, ENTRIES
from components.keys import KEYS, NAME, Key
from components.model import Kind, Settings
from components.problems import NAMESPACE, full_key
from components.rules.app import OURS, SECRET_VARIABLES
from components.rules.target import ONLY_ON
from components.settings import ROOT
from pipeline import sizing
from pipeline.arguments import add_command
from pipeline.console import Console, problem

COMMAND = "python -m pipeline generate"
REQUIRED = (
    ("environment",),
    ("app", "source"),
    ("app", "settings_module"),
    ("processes", NAME, "command"),
    ("volumes", NAME, "path"),
)
NEEDS_DOMAIN = tuple(kind for kind, values in BY_KIND.items() if "domain" not in values)
_ABSENT = object()


def default(key: Key, kind: str) -> object:
    """Give what a kind of environment gets for a key; _ABSENT where it has no default."""
    found: object = _ABSENT
    entry = {key.path[0]: {NAME: ENTRIES[key.path[0]]}} if NAME in key.path else {}
    for layer in (COMMON, BY_KIND[kind], entry):
        value: object = layer
        for part in key.path:
            value = value.get(part, _ABSENT) if isinstance(value, dict) else _ABSENT
        found = found if value is _ABSENT else value
    return found


def default_words(key: Key) -> str:
    """Write the default of a key for people: one value, or one for each kind."""
    if key.path in DERIVED:
        return DERIVED[key.path]
    values = {str(kind): default(key, kind) for kind in Kind}
    if all(value is _ABSENT for value in values.values()):
        return "none, required"
    texts = {kind: "required" if value is _ABSENT else _literal(value) for kind, value in values.items()}
    usual = max(texts.values(), key=list(texts.values()).count)
    if list(texts.values()).count(usual) < len(texts) - 1:
        return ", ".join(f"{kind}: {text}" for kind, text in texts.items())
    return ", ".join([usual, *(f"{kind}: {text}" for kind, text in texts.items() if text != usual)])


def _literal(value: object) -> str:
    return "nothing" if value is None else f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


# Pulumi.yaml ---------------------------------------------------------------------------------------------------------


def pulumi_yaml() -> str:
    """Write the project file. Each key has an empty default: Pulumi refuses a stack at the first key without one."""
    config = {
        name: {"type": "string", "description": info.description, "default": ""}
        if KEYS[name,].single
        else {"type": "object", "description": _with_keys(KEYS[name,]), "default": {}}
        for name, info in Settings.model_fields.items()
    }
    declared = yaml.safe_dump({"config": config}, sort_keys=False, width=110)
    return (
        f"# Made by `{COMMAND}`: change that and components/model.py instead of this file.\n"
        "name: slipway\n"
        "description: Any Django project to a running, safe, observable service.\n"
        "runtime:\n"
        "  name: python\n"
        "  options:\n"
        "    virtualenv: .venv\n"
        "stackConfigDir: stacks\n"
        "# What a stack does not say comes from components/defaults.py. The empty defaults here only keep Pulumi from\n"
        "# stopping at the first key that a stack leaves out. `python -m pipeline settings STACK` shows all values.\n"
        f"{declared}"
    )


def _with_keys(key: Key) -> str:
    return f"{key.info.description} {key.allowed.capitalize()}."


# stacks/schema.json --------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """Write the JSON Schema of a stack's file, as editors understand it."""
    config = {full_key((name,)): _node(KEYS[name,]) for name in Settings.model_fields}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"Made by `{COMMAND}` from components/model.py.",
        "title": "A stack of Slipway",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": config | {f"{secrets.NAMESPACE}:{name}": _secret(name) for name in secrets.NAMES},
                "patternProperties": {
                    f"^(?!{NAMESPACE}:|{secrets.NAMESPACE}:)": {},
                    f"^{secrets.NAMESPACE}:[a-z][a-z0-9_]*$": _encrypted("A secret of the project's own."),
                },
                "additionalProperties": False,
                "required": [full_key(("environment",)), full_key(("app",))],
                "if": {
                    "properties": {full_key(("environment",)): {"enum": list(NEEDS_DOMAIN)}},
                    "required": [full_key(("environment",))],
                },
                "then": {"required": [full_key(("domain",))]},
            },
            "secretsprovider": {"type": "string", "description": "What encrypts the secrets; Pulumi writes it."},
            "encryptionsalt": {"type": "string", "description": "Belongs to the passphrase; Pulumi writes it."},
            "encryptedkey": {"type": "string", "description": "Belongs to the secrets provider; Pulumi writes it."},
            "environment": {"type": ["array", "object"], "description": "Environments of Pulumi ESC."},
        },
        "required": ["config"],
        "additionalProperties": False,
    }


def _secret(name: str) -> dict[str, Any]:
    command = secrets.give(name, "STACK") if name in secrets.GIVEN else "python -m pipeline secrets init STACK"
    return _encrypted(f"{secrets.DESCRIPTIONS[name]} Encrypted by Pulumi: `{command}`.")


def _encrypted(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": {"secure": {"type": "string"}},
        "required": ["secure"],
        "additionalProperties": False,
    }


def _node(key: Key) -> dict[str, Any]:
    if key.entry is not None:
        (pattern,) = Settings.model_json_schema()["properties"][key.path[0]]["patternProperties"]
        return {
            "type": "object",
            "description": key.info.description,
            "patternProperties": {pattern: _node(KEYS[*key.path, NAME])},
            "additionalProperties": False,
        }
    if key.group is not None:
        paths = [(*key.path, name) for name in key.group.model_fields]
        required = [path[-1] for path in paths if path in REQUIRED]
        return {
            "type": "object",
            "description": key.info.description,
            "properties": {path[-1]: _node(KEYS[path]) for path in paths},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }
    return _leaf(key) | {
        "description": f"{key.info.description} Allowed: {key.allowed}. Default: {default_words(key)}."
    }


def _leaf(key: Key) -> dict[str, Any]:
    owner = Settings if len(key.path) == 1 else KEYS[key.path[:-1]].group
    node: dict[str, Any] = (owner or Settings).model_json_schema()["properties"][key.path[-1]]
    if "$ref" in node:  # an enumeration
        node = {"type": "string", "enum": [str(each) for each in key.choices], "examples": node["examples"]}
    if node.get("type") == "number":  # `pulumi config set` writes fractions as text
        node |= {"type": ["number", "string"], "pattern": "^[0-9]+([.][0-9]+)?$"}
    for each in (node, *node.get("anyOf", [])):
        if each.get("type") == "array":  # one line will do, and `pulumi config set` makes numbers of words
            each |= {"type": ["array", "string"], "items": {"type": ["string", "integer", "boolean"]}, "minLength": 1}
    if get_origin(key.info.annotation) is dict:  # `pulumi config set` makes numbers and truth values of text
        node["patternProperties"] = {
            pattern: value | {"type": ["string", "integer", "boolean"]}
            for pattern, value in node["patternProperties"].items()
        }
        node["additionalProperties"] = False
        if key.path == ("app", "environment"):
            names = sorted(OURS - SECRET_VARIABLES)
            node["propertyNames"] = node.get("propertyNames", {}) | {"not": {"enum": names}}
    return {name: value for name, value in node.items() if name != "title"}


# docs/settings.md ----------------------------------------------------------------------------------------------------

_INTRO = f"""<!-- Made by `{COMMAND}` from components/model.py. -->
# Settings

A stack is one running copy of your project: `dev` on your machine, `staging`, `prod`.
Its file `stacks/Pulumi.STACK.yaml` says what is special about it; everything else comes from the defaults of its kind.

```sh
python -m pipeline settings prod                                        # every value, and where it comes from
pulumi config set --path 'slipway:web.replicas' 4 --stack prod          # change one value
pulumi config rm --path 'slipway:web.replicas' --stack prod             # back to the default
```

An editor that knows YAML schemas completes and checks stack files: their first line names `stacks/schema.json`.
`pulumi preview` and `pulumi up` check everything before they touch anything, and name every problem at once, each with
the command that mends it.

The smallest file that works:

```yaml
config:
  slipway:environment: dev
  slipway:app:
    source: ../shop
    settings_module: config.settings
```
"""

_SECRETS = """Secrets are never settings. They stand encrypted under `secrets:` in the stack's file, where
`python -m pipeline secrets init STACK` puts those that are missing and that can be made. It never overwrites one.
The others belong to somebody else, who gave them to you; they are asked for by name where settings need them.

"""

_TARGETS = """Everything means the same on every target, but for this. A stack's file that says it for another target is
refused.

"""


def settings_page() -> str:
    """Write the reference page of the settings."""
    parts = [
        _INTRO,
        "\n## The stack\n\n",
        *_table([key for key in KEYS.values() if len(key.path) == 1 and key.single]),
    ]
    for name, info in Settings.model_fields.items():
        if not KEYS[name,].single:
            below = [key for key in KEYS.values() if key.path[0] == name and key.single]
            parts += [f"\n## {NAMESPACE}:{name}\n\n{info.description}\n\n", *_table(below)]
    parts += [
        "\n## What one target alone has\n\n",
        _TARGETS,
        "| key | only with | elsewhere |\n|---|---|---|\n",
        *(
            f"| `{full_key(path)}`{f' {only.value}' if only.value else ''} | `target: {only.target}` | {only.instead} |\n"
            for path, only in ONLY_ON.items()
        ),
        "\n## Secrets\n\n",
        _SECRETS,
        "| secret | what it is | needed | where it comes from |\n|---|---|---|---|\n",
        *(
            f"| `{secrets.NAMESPACE}:{name}` | {secrets.DESCRIPTIONS[name]} | {secrets.WHEN[name]} "
            f"| {'`' + secrets.give(name, 'STACK') + '`' if name in secrets.GIVEN else 'made'} |\n"
            for name in secrets.NAMES
        ),
    ]
    return "".join(parts)


def _table(rows: list[Key]) -> list[str]:
    head = "| key | what it is | allowed | default | example |\n|---|---|---|---|---|\n"
    return [
        head,
        *(
            f"| `{key.name}` | {key.info.description} | {key.allowed} | {default_words(key)} "
            f"| {_literal(key.example).replace('|', '/')} |\n"
            for key in rows
        ),
    ]


# ---------------------------------------------------------------------------------------------------------------------


def files() -> dict[str, str]:
    """Give the content of every generated file."""
    return {
        "Pulumi.yaml": pulumi_yaml(),
        "stacks/schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        "docs/settings.md": settings_page(),
        sizing.PAGE: sizing.page(),
    }


def stale(root: Path = ROOT) -> list[str]:
    """Name the generated files that differ from what the model says."""
    return [name for name, text in files().items() if not (root / name).is_file() or (root / name).read_text() != text]


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the generated files, or only say which are not up to date."""
    names = stale(ROOT)
    if arguments.check and names:
        raise problem(f"not up to date: {', '.join(names)}", mend=COMMAND)
    for name in names:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(files()[name])
        console.say(f"wrote {name}")
    if not names:
        console.say("everything is up to date")
    return 0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = add_command(
        subparsers, "generate", run, summary="write Pulumi.yaml, the schema and the reference page of the settings"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not up to date")
