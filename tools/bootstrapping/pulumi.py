"""Pulumi and its plugins in the pinned versions: what is there, the official ones, or those built here.

The language host and two plugins of the last route are ours; they run with this clone's .venv.
"""

import os
import platform
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import PipelineError, problem
from tools.airgap import cache_dir
from tools.bootstrapping import golang, network, places
from tools.bootstrapping.report import Report, Step

VERSION = "3.259.0"
PLUGINS = {"docker": "5.1.0", "docker-build": "0.0.22", "kubernetes": "4.32.0"}
OURS = ("docker", "kubernetes")
HOST = "pulumi-language-python"
EXECUTOR = "pulumi-language-python-exec"
PLUGIN_SECONDS = 600.0
ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Cli:
    """A Pulumi that is there: the program, and whether it was built here."""

    program: Path
    ours: bool


def version(program: Path) -> str | None:
    """Ask a Pulumi for its version."""
    settings = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [str(program), "version"], env=settings, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v?(\d\S*)", done.stdout)
    return found[1] if found else None


def on_path() -> Path | None:
    """Look for a Pulumi that somebody else installed: the pinned version, with its language host beside it."""
    folders = [folder for folder in os.get_exec_path() if Path(folder).resolve() != places.BIN.resolve()]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    if found is None or version(Path(found)) != VERSION:
        return None
    beside = Path(found).resolve().parent
    return Path(found) if all((beside / name).exists() for name in (HOST, EXECUTOR)) else None


def official() -> Path:
    """Where the official release lies once it is downloaded."""
    return cache_dir() / "tools" / f"pulumi-official-{VERSION}" / "pulumi"


def current() -> Cli | None:
    """Look for the Pulumi that the clone uses now, without asking the network."""
    if (official() / "pulumi").exists() and places.same(official() / "pulumi", places.BIN / "pulumi"):
        return Cli(places.BIN / "pulumi", ours=False)
    built = golang.built(golang.PULUMI)
    if built and places.same(built / "pulumi", places.BIN / "pulumi") and (places.BIN / HOST).exists():
        return Cli(places.BIN / "pulumi", ours=True)
    return None


def ensure(report: Report) -> Cli:
    """Bring the command-line program with its language host."""
    with report.step("pulumi") as step:
        step.detail = VERSION
        if found := on_path():
            step.did("reused", f"{VERSION}, {found}")
            for name in ("pulumi", HOST, EXECUTOR):
                (places.BIN / name).unlink(missing_ok=True)  # they would come first on PATH
            return Cli(found, ours=False)
        if (official() / "pulumi").exists():
            return use_official()
        before = golang.built(golang.PULUMI)
        if before is None and network.reachable(release()) and download(report):
            step.did("downloaded")
            return use_official()
        built = golang.build(golang.PULUMI, report)
        if before is None:
            step.did("built", f"{VERSION}, from Go modules; Pulumi's download host is not reachable")
        for file in built.iterdir():
            places.place(file, places.BIN / file.name)
        places.write(places.BIN / HOST, language_host(), 0o755)
        return Cli(places.BIN / "pulumi", ours=True)


def language_host() -> str:
    """Write the program that stands beside pulumi: our language host, with this clone's Python."""
    code = (
        f"import sys; sys.path.insert(0, {str(places.REPOSITORY)!r}); sys.argv[0] = {str(places.BIN / HOST)!r}; "
        "from tools.airgap.language_host.start import main; main()"
    )
    return f'#!/bin/sh\nexec {shlex.quote(str(places.VENV_PYTHON))} -I -c {shlex.quote(code)} "$@"\n'


def our_plugin(name: str) -> str:
    """Write the program of a plugin of ours, with this clone's Python."""
    code = (
        f"import sys; sys.path.insert(0, {str(places.REPOSITORY)!r}); import runpy; "
        f"runpy.run_module('tools.airgap.{name}_plugin', run_name='__main__', alter_sys=True)"
    )
    return f'#!/bin/sh\nexec {shlex.quote(str(places.VENV_PYTHON))} -I -c {shlex.quote(code)} "$@"\n'


def use_official() -> Cli:
    """Put the official release into the clone."""
    for file in official().iterdir():
        places.place(file, places.BIN / file.name)
    return Cli(places.BIN / "pulumi", ours=False)


def release() -> str:
    """Where the official release for this machine is."""
    machine = ARCHITECTURES.get(platform.machine(), platform.machine())
    return f"{network.PULUMI}/releases/sdk/pulumi-v{VERSION}-{platform.system().lower()}-{machine}.tar.gz"


def download(report: Report) -> bool:
    """Fetch the official release; whether that worked. A firewall may promise a file and then give another."""
    report.say(f"downloading {release()}")
    try:
        with places.folder_in_one_piece(official().parent) as folder:
            archive = folder / "pulumi.tar.gz"
            network.download(release(), archive)
            report.run(["tar", "-xzf", str(archive), "-C", str(folder)], name="unpack-pulumi", limit=300)
            archive.unlink()
            if version(folder / "pulumi" / "pulumi") != VERSION:
                raise problem(f"what {release()} gave is not Pulumi {VERSION}")
    except PipelineError as error:
        report.say(f"{error}; taking the next route")
        return False
    return True


def home(cli: Cli) -> Path:
    """Where the plugins are that the clone uses: Pulumi's own place, or the clone's."""
    usual = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    if usual == places.PULUMI_HOME or cli.ours or (missing(usual) and places.PULUMI_HOME.is_dir()):
        return places.PULUMI_HOME
    return usual


def plugin_program(folder: Path, name: str) -> Path:
    """Where Pulumi looks for a plugin."""
    return folder / "plugins" / f"resource-{name}-v{PLUGINS[name]}" / f"pulumi-resource-{name}"


def missing(folder: Path) -> list[str]:
    """Which plugins are not there."""
    return [name for name in PLUGINS if not plugin_program(folder, name).exists()]


def ensure_plugins(report: Report, cli: Cli) -> Path | None:
    """Bring the plugins; the folder for ``PULUMI_HOME`` where they are not in Pulumi's own."""
    with report.step("plugins") as step:
        step.detail = ", ".join(f"{name} {number}" for name, number in PLUGINS.items())
        folder = home(cli)
        if folder != places.PULUMI_HOME:
            lacking = missing(folder)
            if not lacking:
                return None
            if network.reachable(network.PULUMI) and install_official(report, cli, lacking):
                step.did("downloaded")
                return None
        ensure_ours(report, step)
        return places.PULUMI_HOME


def install_official(report: Report, cli: Cli, names: list[str]) -> bool:
    """Let Pulumi fetch the plugins; whether that worked."""
    for name in names:
        report.say(f"downloading the plugin {name} {PLUGINS[name]}")
        line = [str(cli.program), "plugin", "install", "resource", name, PLUGINS[name]]
        try:
            report.run(line, name=f"plugin-{name}", limit=PLUGIN_SECONDS)
        except PipelineError as error:
            report.say(f"{error}; taking the next route")
            return False
    return True


def ensure_ours(report: Report, step: Step) -> None:
    """Put the plugins that were built here, or are ours, where Pulumi looks."""
    before = golang.built(golang.DOCKER_BUILD)
    built = golang.build(golang.DOCKER_BUILD, report)
    if before is None:
        step.did("built")
    program = "pulumi-resource-docker-build"
    places.place(built / program, plugin_program(places.PULUMI_HOME, "docker-build"))
    for name in OURS:
        places.write(plugin_program(places.PULUMI_HOME, name), our_plugin(name), 0o755)
