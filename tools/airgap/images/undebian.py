"""Take back what Debian changes about where Python modules are installed. Runs inside, on the library's directory."""

import re
import sys
from pathlib import Path

LIBRARY = Path(sys.argv[1])

# Debian's `site` looks for dist-packages. It is compiled into the interpreter, so its file cannot be edited.
SITECUSTOMIZE = '''\
"""Modules are installed into site-packages, as in the official image."""

import os
import site
import sys

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def getsitepackages(prefixes=None):
    """The directories of all prefixes, each once."""
    prefixes = site.PREFIXES if prefixes is None else prefixes
    return [os.path.join(prefix, "lib", VERSION, "site-packages") for prefix in dict.fromkeys(prefixes)]


if sys.base_prefix in site.PREFIXES:
    site.addsitedir(os.path.join(sys.base_prefix, "lib", VERSION, "site-packages"))
site.getsitepackages = getsitepackages
'''


def edit(name: str, text: str, replacement: str) -> None:
    """Replace exactly one place of a file."""
    path = LIBRARY / name
    edited, count = re.subn(re.escape(text), lambda _: replacement, path.read_text())
    if count != 1:
        sys.exit(f"{path}: {count} places are {text!r}, expected 1")
    path.write_text(edited)


edit(
    "sysconfig/__init__.py" if (LIBRARY / "sysconfig").is_dir() else "sysconfig.py",
    "prefix_scheme = 'posix_local'",
    "prefix_scheme = 'posix_prefix'",
)
edit("ensurepip/__init__.py", "    _ensurepip_is_disabled_in_debian_for_system()\n", "")
(LIBRARY / "sitecustomize.py").write_text(SITECUSTOMIZE)
