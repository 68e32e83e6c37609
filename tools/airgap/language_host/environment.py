"""The Python that a program runs with: the ``virtualenv`` of its runtime options, or the one on PATH.

It knows pip's environments only; other toolchains are refused by name.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.airgap.language_host import packages

TYPECHECKERS = ("mypy", "pyright")
SURVEY_SECONDS = 60


class OptionError(Exception):
    """A runtime option, or what it points at, that this host cannot use."""


@dataclass(frozen=True)
class Environment:
    """Where a program's Python is."""

    root: Path
    virtualenv: str | None
    typechecker: str | None

    @classmethod
    def of(cls, root: str, options: Mapping[str, Any], *, plugin: bool = False) -> "Environment":
        """Read the ``runtime.options`` of a Pulumi.yaml (or PulumiPlugin.yaml)."""
        for key in ("virtualenv", "toolchain", "typechecker"):
            if not isinstance(options.get(key, ""), str):
                raise OptionError(f"{key} option must be a string")
        if options.get("toolchain", "pip") != "pip":
            raise OptionError(
                f"unsupported toolchain option: {options['toolchain']} (this language host runs pip's environments: "
                "set `toolchain: pip` and `virtualenv: .venv` under runtime.options in Pulumi.yaml)"
            )
        typechecker = options.get("typechecker") or None
        if typechecker is not None and typechecker not in TYPECHECKERS:
            raise OptionError(f"unsupported typechecker option: {typechecker}")
        default = "venv" if plugin else None
        return cls(Path(root), options.get("virtualenv") or default, typechecker)

    @property
    def folder(self) -> Path | None:
        """The virtual environment, if one is named."""
        return None if self.virtualenv is None else Path(os.path.normpath(self.root / self.virtualenv))

    @property
    def python(self) -> str:
        """The interpreter's path."""
        if self.folder is not None:
            return str(self.folder / "bin" / "python")
        wanted = [os.environ["PULUMI_PYTHON_CMD"]] if os.environ.get("PULUMI_PYTHON_CMD") else ["python3", "python"]
        for name in wanted:
            if found := shutil.which(name):
                return found
        raise OptionError(f"failed to locate any of {wanted} on your PATH. Have you installed Python 3.6 or greater?")

    def validate(self) -> None:
        """Refuse an environment that is not there, with the commands that make it."""
        if self.folder is None or Path(self.python).is_file():
            return
        state = "doesn't appear to be a virtual environment" if self.folder.exists() else "doesn't exist"
        raise OptionError(
            f'The \'virtualenv\' option in Pulumi.yaml is set to "{self.virtualenv}", but "{self.folder}" {state}; '
            "run the following commands to create the virtual environment and install dependencies into it:\n\n"
            f"    1. python3 -m venv {self.folder}\n"
            f"    2. {self.python} -m pip install --upgrade pip setuptools wheel\n"
            f"    3. {self.python} -m pip install -r requirements.txt\n"
        )

    def variables(self) -> dict[str, str]:
        """Give the environment variables of a program that runs there."""
        values = dict(os.environ)
        if self.folder is not None:
            values["VIRTUAL_ENV"] = str(self.folder)
            values["PATH"] = os.pathsep.join([str(self.folder / "bin"), values.get("PATH", "")])
            values.pop("PYTHONHOME", None)
        return values

    def survey(self) -> dict[str, list[dict[str, Any]]]:
        """List its packages and the plugins that they need."""
        if self.folder is not None and self.folder.resolve() == Path(sys.prefix).resolve():
            return packages.survey()
        done = subprocess.run(
            [self.python, packages.__file__],
            env=self.variables(),
            check=False,
            capture_output=True,
            text=True,
            timeout=SURVEY_SECONDS,
        )
        if done.returncode:
            raise OptionError(f"calling `{self.python} {packages.__file__}`: {done.stderr.strip()}")
        found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
        return found

    def has(self, package: str) -> bool:
        """Whether a package is installed there."""
        return any(found["name"] == package for found in self.survey()["packages"])
