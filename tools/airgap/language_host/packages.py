"""Which packages an environment holds, and which Pulumi plugins they need, by the official host's rules.

It downloads nothing. It is also a script, run with the Python of another environment than the host's.
"""

import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

# Known to have no plugin although their names look so.
WITHOUT_PLUGIN = {"pulumi-policy", "pulumi-esc-sdk"}
VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.(dev\d+))?")
PRE_RELEASES = {"a": "alpha", "b": "beta", "rc": "rc"}


def normal(name: str) -> str:
    """Write a package's name the one way: lower case, single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def plugin_version(package_version: str) -> str | None:
    """Translate a Python version to the plugin's (``1.2rc3`` to ``1.2.0-rc.3``); None if it cannot be told."""
    found = VERSION.fullmatch(package_version)
    if found is None:
        return None
    release, kind, number, post, dev = found.groups()
    segments = release.split(".")
    text = ".".join(segments + ["0"] * (3 - len(segments)))
    if kind:
        text += f"-{PRE_RELEASES[kind]}.{number}"
    if post or dev:
        text += f"+{post or ''}{dev or ''}"
    return text


def describe(distribution: importlib.metadata.Distribution) -> dict[str, Any] | None:
    """Read what a package's ``pulumi-plugin.json`` says; None if it has none."""
    module = distribution.metadata["Name"].replace("-", "_")
    spec = None if "." in module else importlib.util.find_spec(module)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "pulumi-plugin.json"
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text())
            return found
    return None


def requirement(name: str, version: str, described: dict[str, Any] | None) -> dict[str, Any] | None:
    """Make the dependency that the engine is told of; None if the package needs no plugin."""
    described = {"resource": True} if described is None else described
    plugin = described.get("version") or plugin_version(version)
    if not described.get("resource") or plugin is None:
        return None
    return {
        "name": described.get("name") or name.removeprefix("pulumi-"),
        "version": plugin if plugin.startswith("v") else f"v{plugin}",
        "kind": "resource",
        "server": described.get("server", ""),
        **{key: described[key] for key in ("parameterization", "extension") if described.get(key)},
    }


def survey() -> dict[str, list[dict[str, Any]]]:
    """List this environment: every package, and the plugins that its Pulumi packages need."""
    packages, required = {}, {}
    for distribution in importlib.metadata.distributions():
        name = normal(distribution.metadata["Name"])
        if name in packages:
            continue  # the first on the path is what an import finds
        packages[name] = distribution.version
        if name in WITHOUT_PLUGIN:
            continue
        described = describe(distribution)
        if described is not None or name.startswith("pulumi-"):
            required[name] = requirement(name, distribution.version, described)
    return {
        "packages": [{"name": name, "version": packages[name]} for name in sorted(packages)],
        "required": [found for _, found in sorted(required.items()) if found is not None],
    }


if __name__ == "__main__":
    json.dump(survey(), sys.stdout)
