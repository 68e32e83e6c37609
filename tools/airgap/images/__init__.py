"""Stand-ins for the official images, from Debian packages: the same names, tags and contract, in the local registry.

It owns which images there are, what their configuration says, and building, publishing and pulling them.
The contract kept is that of the official images' Dockerfiles: user ids, paths, environment, entrypoints, signals.
Known differences: PostgreSQL without the JIT compiler, Redis without the modules of the official image,
Python without libpython's shared library; one architecture each, that of this machine.

Python 3.12 is in no Debian release and has no stand-in.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.console import PipelineError, problem
from tools.airgap import Say, cache_dir, registry
from tools.airgap.images import apt, archive

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NEEDED_BYTES = 3 * 1024**3
_MINUTES = 20
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Image:
    """One image: a suite's minimal system alone, or with the layer of a recipe (``NAME-VERSION``)."""

    suite: str
    recipe: str | None
    tags: tuple[str, ...]
    config: Mapping[str, object] = field(default_factory=dict)
    environment: tuple[str, ...] = ()


def _python(version: str, suite: str) -> Image:
    variants = ("", f"-{suite}", "-slim", f"-slim-{suite}")
    return Image(
        suite, f"python-{version}", tuple(f"python:{version}{each}" for each in variants), {"Cmd": ["python3"]}
    )


IMAGES = (
    Image("bookworm", None, ("debian:bookworm-slim",), {"Cmd": ["bash"]}),
    Image("trixie", None, ("debian:trixie-slim",), {"Cmd": ["bash"]}),
    _python("3.11", "bookworm"),
    _python("3.13", "trixie"),
    Image(
        "trixie",
        "postgres-17",
        ("postgres:17", "postgres:17-trixie"),
        {
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["postgres"],
            "ExposedPorts": {"5432/tcp": {}},
            "Volumes": {"/var/lib/postgresql/data": {}},
            "StopSignal": "SIGINT",
        },
        (
            f"PATH={_PATH}:/usr/lib/postgresql/17/bin",
            "LANG=en_US.utf8",
            "PG_MAJOR=17",
            "PGDATA=/var/lib/postgresql/data",
        ),
    ),
    Image(
        "trixie",
        "redis-8.0",
        ("redis:8.0", "redis:8"),
        {
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["redis-server"],
            "ExposedPorts": {"6379/tcp": {}},
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
        },
    ),
    Image(
        "trixie",
        "nginx-1.26",
        ("nginx:1.26",),
        {
            "Entrypoint": ["/docker-entrypoint.sh"],
            "Cmd": ["nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
    ),
)


@dataclass(frozen=True)
class Published:
    """An image in the registry: its digest there, and its id in a daemon."""

    digest: str
    id: str


def ensure(say: Say) -> dict[str, Published]:
    """Have every image in the local registry and in the Docker daemon; what each tag stands for."""
    registry.ensure(say)
    record = _directory() / f"{key()}.json"
    published = _published(record)
    if published is None:
        with _one_builder():
            published = _published(record) or _build(record, say)
    _pull(published, say)
    return published


def key() -> str:
    """What the images are made from: change it, and they are made anew."""
    sha = hashlib.sha256(_architecture().encode())
    for path in sorted(path for path in _HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        sha.update(f"{path.relative_to(_HERE)}\0".encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def _directory() -> Path:
    path = cache_dir() / "images"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _published(record: Path) -> dict[str, Published] | None:
    """What was published before, if the registry still has all of it."""
    try:
        known = {tag: Published(**each) for tag, each in json.loads(record.read_text()).items()}
    except (OSError, ValueError, TypeError):
        return None
    there = registry.digests(tuple(_reference(tag) for tag in known))
    return known if there == [each.digest for each in known.values()] else None


def _reference(tag: str) -> tuple[str, str]:
    name, _, version = tag.partition(":")
    return f"library/{name}", version


def _architecture() -> str:
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


# --- building -------------------------------------------------------------------------------------------------------


@contextmanager
def _one_builder() -> Iterator[None]:
    with (_directory() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for leftover in _directory().glob("build-*"):  # of one that was killed; its mounts went with it
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _build(record: Path, say: Say) -> dict[str, Published]:
    _check_host(say)
    try:
        with tempfile.TemporaryDirectory(prefix="build-", dir=_directory()) as work:
            published = _build_suites(Path(work), say)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _disk_full() from error
        raise
    part = record.with_suffix(".part")
    part.write_text(json.dumps({tag: vars(each) for tag, each in published.items()}, indent=1))
    part.replace(record)
    return published


def _build_suites(work: Path, say: Say) -> dict[str, Published]:
    source = apt.archive()
    published: dict[str, Published] = {}
    suites = sorted({image.suite for image in IMAGES}, reverse=True)
    stop = threading.Event()
    with ThreadPoolExecutor(len(suites)) as pool:
        running = [pool.submit(_build_suite, suite, source, work / suite, say, stop) for suite in suites]
        try:
            for each in running:
                published |= each.result()
        except BaseException:
            stop.set()
            raise
    return published


def _build_suite(suite: str, source: apt.Archive, work: Path, say: Say, stop: threading.Event) -> dict[str, Published]:
    work.mkdir()
    (work / "mirror").write_text(source.main)
    (work / "sources").write_text(source.sources(suite))
    (work / "apt.conf").write_text(apt.options())
    bundle = apt.ca_bundle()
    if bundle is not None:
        shutil.copyfile(bundle, work / "ca.crt")
    images = [image for image in IMAGES if image.suite == suite]
    try:
        _run(suite, work, [image.recipe for image in images if image.recipe], say, stop)
    except BaseException:
        stop.set()
        raise
    epoch = int((work / "epoch").read_text())
    say(f"debian {suite}: packing")
    base = archive.layer(work / "base", work / "base.tar.gz", epoch)
    published: dict[str, Published] = {}
    for image in images:
        layers: tuple[archive.Layer, ...] = (base,)
        environment = list(image.environment) or [f"PATH={_PATH}"]
        if image.recipe:
            layers += (archive.layer(work / image.recipe, work / f"{image.recipe}.tar.gz", epoch),)
            lines = work / image.recipe / "etc" / "slipway-build-env"
            environment += lines.read_text().splitlines() if lines.exists() else []
        config, manifest = archive.image(layers, {"Env": environment, **image.config}, epoch, _architecture(), work)
        repository = _reference(image.tags[0])[0]
        tags = tuple(_reference(tag)[1] for tag in image.tags)
        digest = registry.push(repository, tags, (*(each.blob for each in layers), config), manifest)
        published |= {tag: Published(digest, config.digest) for tag in image.tags}
    return published


def _run(suite: str, work: Path, recipes: list[str], say: Say, stop: threading.Event) -> None:
    """Run build.sh in namespaces of its own; all of it ends with this process, or when something else fails."""
    log = work / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--"),
                *("sh", str(_HERE / "build.sh")),
                *(suite, str(work), str(cache_dir() / "packages"), str(_HERE), *recipes),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
            env={**os.environ, **apt.proxies()},
        )
    threading.Thread(target=_end, args=(process, stop), daemon=True).start()
    with process:
        for line in process.stdout or ():
            say(line.rstrip("\n"))
    if process.returncode != 0:
        raise _explain(suite, log.read_text(errors="replace"), process.returncode)


def _end(process: subprocess.Popen[str], stop: threading.Event) -> None:
    """Kill it when it is told to, or takes too long. What it started goes with its pid namespace."""
    for _ in range(_MINUTES * 60 * 5):
        if process.poll() is not None:
            return
        if stop.wait(0.2):
            break
    process.kill()


def _check_host(say: Say) -> None:
    if os.geteuid() != 0:
        raise problem("images can only be made from Debian packages by root", mend="run the same command as root")
    free = shutil.disk_usage(_directory()).free
    if free < _NEEDED_BYTES:
        raise _disk_full()
    if shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        say("debootstrap is missing: installing it")
        install = ["apt-get", "install", "-qy", "--no-install-recommends", "debootstrap"]
        done = None
        for command in (install, ["apt-get", "update", "-q"], install):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            if done.returncode == 0 and command is install:
                return
        raise problem(
            f"debootstrap is missing and cannot be installed: {done.stderr.strip() if done else ''}",
            mend="apt-get update && apt-get install debootstrap",
        )


def _disk_full() -> PipelineError:
    free = shutil.disk_usage(_directory()).free
    return problem(
        f"the disk of {cache_dir()} has {free / 1024**3:.1f} GiB free",
        allowed=f"at least {_NEEDED_BYTES / 1024**3:.0f} GiB while images are made",
        mend="free some, or `export SLIPWAY_CACHE=<a directory on another disk>`",
    )


def _explain(suite: str, log: str, code: int) -> PipelineError:
    """Say why a suite could not be built: the cause if it is a known one, and the last lines in any case."""
    kept = _directory() / f"{suite}.log"
    kept.write_text(log)
    tail = "\n".join(log.splitlines()[-12:])
    if "No space left on device" in log:
        return _disk_full()
    if "Failed getting release file" in log or "Unable to fetch" in log or "Could not resolve" in log:
        return problem(
            f"the archive that apt uses on this machine does not give Debian {suite}:\n{tail}",
            mend="export SLIPWAY_DEBIAN_MIRROR=<URL of a Debian mirror that this machine reaches>",
        )
    if "invalid signature" in log or "unknown key" in log:
        return problem(
            f"the signature of Debian {suite} cannot be checked with the keys of this machine:\n{tail}",
            mend="apt-get update && apt-get install debian-archive-keyring",
        )
    return problem(f"making images from Debian {suite} failed with exit code {code}:\n{tail}", mend=f"read {kept}")


# --- the daemon -----------------------------------------------------------------------------------------------------


def _pull(published: Mapping[str, Published], say: Say) -> None:
    """Have the Docker daemon know them under the official names."""
    missing = [tag for tag, each in published.items() if _local(tag) != each.id] if _stale(published) else []
    if not missing:
        return
    mirrored = _mirrored()
    first: dict[str, str] = {}
    for tag in missing:
        name = tag.partition(":")[0]
        known = first.get(f"{name}@{published[tag].id}")
        if known is not None:
            _docker("tag", known, tag)
            continue
        say(f"docker: pulling {tag} from the local registry")
        if mirrored:
            _docker("pull", "--quiet", tag)
        # A daemon that asked elsewhere (no mirror, or a mirror of another machine) gets it from the registry itself.
        if _local(tag) != published[tag].id:
            _docker("pull", "--quiet", f"{registry.ADDRESS}/library/{tag}")
            _docker("tag", f"{registry.ADDRESS}/library/{tag}", tag)
            _docker("rmi", f"{registry.ADDRESS}/library/{tag}")
        first[f"{name}@{published[tag].id}"] = tag


def _stale(published: Mapping[str, Published]) -> bool:
    """Whether anything is missing, in one question."""
    done = _docker("image", "inspect", "--format", "{{.Id}}", *published, check=False)
    return done.returncode != 0 or done.stdout.split() != [each.id for each in published.values()]


def _local(tag: str) -> str | None:
    done = _docker("image", "inspect", "--format", "{{.Id}}", tag, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _mirrored() -> bool:
    mirrors = _docker("info", "--format", "{{json .RegistryConfig.Mirrors}}").stdout
    return f"//{registry.ADDRESS}/" in mirrors.replace("\\/", "/")


def _docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=300)
    except FileNotFoundError as error:
        raise problem("docker is not on PATH", mend="apt-get install docker.io") from error
    except subprocess.TimeoutExpired as error:
        raise problem(f"`docker {' '.join(arguments[:3])}` gave no answer within 300 s", mend="docker info") from error
    if check and done.returncode != 0:
        raise problem(f"`docker {' '.join(arguments[:3])}` failed: {done.stderr.strip()}", mend="docker info")
    return done
