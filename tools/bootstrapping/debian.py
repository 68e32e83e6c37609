"""Debian's packages: installed where this process may, named where it may not.

Nothing else of the machine's configuration is touched.
"""

import os
import shutil
from pathlib import Path

from pipeline.console import problem
from tools.bootstrapping.report import Report

APT_SECONDS = 900.0


def may_install() -> bool:
    """Whether this is a Debian, or one of its kin, and we are root there."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def command(packages: list[str]) -> str:
    """Write the command that a person types."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {' '.join(packages)}"


def install(report: Report, packages: list[str], why: str) -> None:
    """Install packages, or say what to install."""
    if not may_install():
        raise problem(why, mend=f"{command(packages)}   # Debian, Ubuntu; elsewhere the same by its own packages")
    report.say(f"{why}: installing Debian's {', '.join(packages)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-q"]
    mend = command(packages)
    server = "the Debian archive of /etc/apt/sources.list"
    report.run([*apt, "update"], name="apt-update", limit=APT_SECONDS, variables=quiet, server=server, mend=mend)
    line = [*apt, "install", "-y", *packages]
    report.run(line, name="apt-install", limit=APT_SECONDS, variables=quiet, server=server, mend=mend)
