"""Stand-ins for the images of services beside the app that tests deploy: RabbitMQ, MariaDB, memcached.

Like those of ``tools/airgap/images``, they are Debian's packages under the official names, with the official images'
contract, in the registry of this machine. They are built on its ``debian:trixie-slim`` by the Docker daemon, and only when
somebody asks: nothing that a user runs needs them.
Known differences: MariaDB without its health check script and without users beyond the first; RabbitMQ without the
management plugin's own image; one architecture each, that of this machine.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap import Say, registry
from tools.airgap.daemon import locked
from tools.airgap.images import apt
from tools.bootstrapping import images

LABEL = "slipway.standin"
"""The label that says what an image was made from."""

_HERE = Path(__file__).parent
_SECONDS = 600
_CA = "99slipway-ca.crt"


@dataclass(frozen=True)
class Image:
    """One image: the folder with its Dockerfile, and its tags under the official name."""

    name: str
    tags: tuple[str, ...]

    @property
    def key(self) -> str:
        """What it is made from: change it, and it is made anew."""
        sha = hashlib.sha256(_base().encode())
        for path in sorted((_HERE / self.name).iterdir()):
            sha.update(f"{path.name}\0".encode() + path.read_bytes())
        return sha.hexdigest()[:16]


IMAGES = (
    Image("memcached", ("1.6",)),
    Image("rabbitmq", ("4", "4.0")),
    Image("mariadb", ("11", "11.8")),
)


def ensure(say: Say) -> None:
    """Have them in the registry of this machine and in the Docker daemon. Where Docker Hub answers, it has them all."""
    if not images.needed():
        return
    registry.ensure(say)
    with locked("service-images"):
        for image in IMAGES:
            if not _there(image):
                _make(image, say)


def _there(image: Image) -> bool:
    """Whether daemon and registry have an image, made from what lies here now."""
    references = tuple((f"library/{image.name}", tag) for tag in image.tags)
    if None in registry.digests(references):
        return False
    names = [f"{image.name}:{tag}" for tag in image.tags]
    done = _docker("image", "inspect", "--format", "{{json .Config.Labels}}", *names, check=False)
    labels = [json.loads(line) or {} for line in done.stdout.splitlines()]
    return done.returncode == 0 and all(each.get(LABEL) == image.key for each in labels)


def _make(image: Image, say: Say) -> None:
    say(f"{image.name}: building it from Debian's packages")
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "context")
        shutil.copytree(_HERE / image.name, context)
        write_apt(context / "slipway-apt")
        label = f"{LABEL}={image.key}"
        _docker("build", "--quiet", "--network", "host", "--label", label, "--tag", _local(image, 0), str(context))
    for number, tag in enumerate(image.tags):
        for name in (_local(image, number), f"{image.name}:{tag}"):
            _docker("tag", _local(image, 0), name)
        _docker("push", "--quiet", _local(image, number))


def _local(image: Image, number: int) -> str:
    return f"{registry.ADDRESS}/library/{image.name}:{image.tags[number]}"


def write_apt(folder: Path) -> None:
    """Write what apt needs on this machine, for the build alone: each Dockerfile removes it again."""
    folder.mkdir()
    lines = [apt.options()]
    bundle = apt.ca_bundle()
    if bundle is not None:
        shutil.copyfile(bundle, folder / _CA)
        lines.append(f'Acquire::https::CaInfo "/etc/apt/apt.conf.d/{_CA}";\n')
    (folder / "99slipway-build").write_text("".join(lines))


def _base() -> str:
    return _docker("image", "inspect", "--format", "{{.Id}}", "debian:trixie-slim").stdout.strip()


def _docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=_SECONDS)
    if check and done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise problem(f"`docker {' '.join(arguments[:2])}` failed:\n{said}", mend="docker info")
    return done
