"""``make numbers-projects``: what the projects of tests/projects cost, as rows of docs/numbers.md.

For each shape: the size of its image, the build with no layer kept and with all of them, and a changed line to live. Then
uv against pip on the same pins, and the whole Dockerfile against a plain one of a single stage. Packages come from the
caches of the builder in all of them, so that the network is not what is measured.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import test_project_dependencies as dependencies
from tests.e2e import test_project_environment as environment
from tests.e2e import test_project_monorepo as monorepo
from tests.e2e import test_project_processes as processes
from tests.e2e.site import EXAMPLE, ROOT, Site
from tools.airgap import cache_dir
from tools.rows import Row, wall

MB = 1_000_000
ROUNDS = 3
COMMAND = "`make numbers-projects`"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

_PLAIN = """\
FROM python:3.13-slim
WORKDIR /app
RUN --mount=type=secret,id=ca_bundle,target={bundle} --mount=type=cache,target=/root/.cache/pip \\
    pip install --quiet gunicorn
COPY . .
RUN --mount=type=secret,id=ca_bundle,target={bundle} --mount=type=cache,target=/root/.cache/pip \\
    pip install --quiet -r requirements.txt
CMD ["gunicorn", "config.wsgi:application"]
"""

_INSTALLER = """\
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca_bundle,target={bundle} pip install --quiet uv
COPY requirements.txt .
{step}
"""
_PIP = """\
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca_bundle,target={bundle} \\
    python -m venv /opt/venv && /opt/venv/bin/pip install --quiet -r requirements.txt"""
_UV = """\
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target={bundle} \\
    UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 SSL_CERT_FILE={bundle} \\
    sh -c 'uv venv --quiet /opt/venv && VIRTUAL_ENV=/opt/venv uv pip install --quiet -r requirements.txt'"""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One kind of project."""

    name: str
    """What it is, in words."""
    folder: str
    """Its folder in tests/projects."""
    settings: Mapping[str, Any]
    """What its stack's file says."""
    changed: str
    """A file of Python in it, for a changed line."""


SHAPES = (
    Shape(
        name="files of requirements, settings in a module and an INI file",
        folder="environment",
        settings={"app": environment.APP},
        changed="config/urls.py",
    ),
    Shape(
        name="Poetry in a folder, a library beside it",
        folder="poetry-subdirectory",
        settings=dependencies.POETRY,
        changed="site/shop/urls.py",
    ),
    Shape(
        name="a lock of uv, code in src, a workspace",
        folder="uv-src",
        settings=dependencies.UV,
        changed="src/shop/urls.py",
    ),
    Shape(
        name="a folder of a repository, packages of the system, assets made with Node",
        folder="monorepo",
        settings={"app": monorepo.APP, "build": monorepo.BUILD, "assets": monorepo.ASSETS},
        changed="backend/shop/urls.py",
    ),
    Shape(
        name="ASGI, Celery with beat, RQ, Channels, a clock",
        folder="processes",
        settings=processes.LATER,
        changed="shop/urls.py",
    ),
)


def measure(shape: Shape, folder: Path) -> Iterator[Row]:
    """Deploy a project, build it again from nothing, and change a line of it."""
    site = Site(folder, f"numbers-{shape.folder}").make()
    try:
        dependencies.turn(site, shape.folder, {**shape.settings, "app": dict(shape.settings["app"])})
        site.secrets()
        for name in ("token", "mail_password", "admin_password"):
            site.run(
                "pulumi", "config", "set", "--secret", f"secrets:{name}", "--stack", site.stack, "made-up-1"
            ).good()
        first = site.up().good().seconds
        yield row(shape, "size of the image", f"{size_of(site) / MB:.0f} MB")
        yield row(shape, "first `up`, with the layers that the builder had", wall(first))
        [dockerfile] = (site.root / ".slipway/build").glob(f"{site.stack}/Dockerfile")
        source = site.folder / shape.folder
        yield row(shape, "build with no layer kept", wall(build(site, dockerfile, source, anew=True)))
        yield row(shape, "build with nothing changed", wall(build(site, dockerfile, source)))
        file = source / shape.changed
        times = []
        for number in range(ROUNDS):
            file.write_text(f"{file.read_text()}\n# changed {number}\n")
            times.append(site.up().good().seconds)
        yield row(shape, f"a changed line to live, end of `up` (median of {ROUNDS})", wall(statistics.median(times)))
    finally:
        site.close()


def size_of(site: Site) -> int:
    """Ask Docker how large the image of a stack is, in bytes."""
    image = site.container("web").image
    return int(image.attrs["Size"]) if image is not None else 0


def row(shape: Shape, what: str, measured: str) -> Row:
    """Make a row."""
    return Row(f"{shape.name}: {what}", measured, COMMAND)


def build(site: Site, dockerfile: Path, source: Path, *, anew: bool = False) -> float:
    """Build an image that is thrown away, and give how long that took in seconds."""
    [program] = cache_dir().glob("tools/buildkit-*/buildctl")
    command = [
        str(program),
        *("--addr", f"unix://{cache_dir()}/run/buildkitd.sock", "build", "--progress=plain"),
        *("--frontend=dockerfile.v0", f"--local=context={source}", f"--local=dockerfile={dockerfile.parent}"),
        *("--secret", f"id=ca_bundle,src={BUNDLE}", "--output=type=image,name=slipway-numbers,push=false"),
        *(["--no-cache"] if anew else []),
    ]
    begun = time.monotonic()
    done = subprocess.run(
        command, env=site.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    return time.monotonic() - begun


def compared(folder: Path) -> Iterator[Row]:
    """Compare uv with pip, and our Dockerfile with a plain one, each in turns."""
    site = Site(folder, "numbers-plain").make().secrets()
    try:
        site.up().good()
        [ours] = (site.root / ".slipway/build").glob(f"{site.stack}/Dockerfile")
        installers = {name: written(folder / name, text(step)) for name, step in (("pip", _PIP), ("uv", _UV))}
        times = turns(site, {name: (file, EXAMPLE) for name, file in installers.items()})
        yield compare("the example's pinned requirements installed, packages from the cache", times, "uv", "pip")
        plain = written(folder / "plain", _PLAIN.format(bundle=BUNDLE))
        both = {"Slipway": (ours, site.app), "plain": (plain, site.app)}
        yield compare("the example built with no layer kept", turns(site, both), "Slipway", "plain")
        changed = turns(site, both, change=site.app / "config/urls.py")
        yield compare("the example built after a changed line", changed, "Slipway", "plain")
        yield Row("image of the example: Slipway", f"{size_of(site) / MB:.0f} MB", COMMAND)
        size = plain_size(site, plain)
        yield Row("image of the example: a plain Dockerfile of a single stage", f"{size / MB:.0f} MB", COMMAND)
    finally:
        site.close()


def text(step: str) -> str:
    """Give a Dockerfile that does nothing but install."""
    return _INSTALLER.format(bundle=BUNDLE, step=step.format(bundle=BUNDLE))


def written(folder: Path, content: str) -> Path:
    """Write a Dockerfile into a folder of its own."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(content)
    return folder / "Dockerfile"


def turns(site: Site, what: Mapping[str, tuple[Path, Path]], change: Path | None = None) -> dict[str, float]:
    """Build each in turns, from nothing or after a changed line, and give the median of each."""
    times: dict[str, list[float]] = {name: [] for name in what}
    for number in range(ROUNDS):
        if change is not None:
            change.write_text(f"{change.read_text()}\n# changed {number}\n")
        for name, (dockerfile, source) in what.items():
            times[name].append(build(site, dockerfile, source, anew=change is None))
    return {name: statistics.median(each) for name, each in times.items()}


def compare(what: str, times: Mapping[str, float], one: str, other: str) -> Row:
    """Write two medians and their ratio."""
    ratio = times[one] / times[other]
    return Row(
        f"{what}: {one} / {other} (median of {ROUNDS}, in turns)",
        f"{wall(times[one])} / {wall(times[other])}, ratio {ratio:.2f}",
        COMMAND,
    )


def plain_size(site: Site, dockerfile: Path) -> int:
    """Build the plain image as the host has it, and give its size in bytes."""
    archive = dockerfile.parent / "image.tar"
    [program] = cache_dir().glob("tools/buildkit-*/buildctl")
    subprocess.run(
        [
            str(program),
            *("--addr", f"unix://{cache_dir()}/run/buildkitd.sock", "build", "--frontend=dockerfile.v0"),
            *(f"--local=context={site.app}", f"--local=dockerfile={dockerfile.parent}"),
            *("--secret", f"id=ca_bundle,src={BUNDLE}"),
            f"--output=type=docker,name=slipway-numbers-plain:1,dest={archive}",
        ],
        env=site.environ,
        check=True,
        capture_output=True,
        timeout=600,
    )
    [loaded] = site.daemon.images.load(archive.read_bytes())
    size = int(loaded.attrs["Size"])
    site.daemon.images.remove(str(loaded.id), force=True)
    return size


def main() -> None:
    """Print the rows."""
    print(f"load before: {os.getloadavg()[0]:.1f}; commit {commit()}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="slipway-numbers-"))
    try:
        for shape in SHAPES:
            (folder / shape.folder).mkdir()
            for each in measure(shape, folder / shape.folder):
                print(f"ROW {each}", flush=True)
        (folder / "plain").mkdir()
        for each in compared(folder / "plain"):
            print(f"ROW {each}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"load after: {os.getloadavg()[0]:.1f}", flush=True)


def commit() -> str:
    """Name the commit that is measured."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
