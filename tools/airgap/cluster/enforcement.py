"""Enforcement of NetworkPolicies: the programs that its rules are written with, and what it leaves in the kernel.

The bridge that connects the pods knows no policies; kube-router's controller does (`processes.network_policies`). It
rewrites the whole table of its rules each time. So it gets the kernel's older tables where there are any, which nobody
else uses here: a rule that Docker or kube-proxy writes at that moment is not lost.
"""

import re
import shutil
import subprocess
from pathlib import Path

from tools.airgap.cluster import place, programs

LEGACY = "iptables-legacy"
SETS = re.compile(r"KUBE-(SRC|DST)-")
"""How the names of its sets of addresses begin."""

_PARTS = ("", "-save", "-restore")
_SECONDS = 30


def folder() -> Path:
    """Make the folder in which it finds its iptables. It is empty where the kernel has no older tables."""
    made = place.conf() / "iptables"
    made.mkdir(parents=True, exist_ok=True)
    if not (made / "iptables").exists() and _run(LEGACY, "-S").returncode == 0:
        for part in _PARTS:
            program = shutil.which(f"{LEGACY}{part}", path=programs.search())
            if program is not None:
                (made / f"iptables{part}").symlink_to(program)  # the one program looks at the name it is called by
    return made


def remove() -> None:
    """Remove its sets, after the rules that use them are gone."""
    for name in _run("ipset", "list", "-n").stdout.split():
        if SETS.match(name):
            _run("ipset", "destroy", name)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0], path=programs.search())
    if program is None:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]} is not there")
    line = [program, *command[1:]]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=_SECONDS)
