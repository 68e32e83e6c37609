"""What runs on the cluster only when it is asked for: ``make cluster ADDONS="ingress cloudnative-pg"``.

An ingress controller, which takes minutes to build, and kinds of objects that others define. Of those there is the
definition alone, without what acts on them: the API server takes such objects and checks them, and nothing happens.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.console import problem
from tools.airgap.cluster import images
from tools.airgap.cluster.addons import manifest
from tools.airgap.cluster.images import Image
from tools.airgap.cluster.up import kubectl, lock
from tools.bootstrapping import golang
from tools.bootstrapping.report import Report

HTTP_PORT, HTTPS_PORT = 30080, 30443
"""Where the ingress controller answers, on 127.0.0.1 and on the node's address."""

SECONDS = 50


@dataclass(frozen=True)
class Extra:
    """Something that may be added.

    Attributes:
        kinds: Files with definitions of kinds, of those that golang.KINDS brings.
        image: The image that runs, if anything does.
        manifest: The name of its text in ``manifests/``.
        waits: What must be rolled out: ``NAMESPACE/KIND/NAME``.
    """

    kinds: tuple[str, ...]
    image: Image | None = None
    manifest: str = ""
    waits: str = ""


GATEWAY_API = tuple(Path(path).name for module, path in golang.KINDS.extra if module.endswith("/gateway-api"))
CLOUDNATIVE_PG = tuple(Path(path).name for module, path in golang.KINDS.extra if module.endswith("/cloudnative-pg"))
CERT_MANAGER = tuple(Path(path).name for module, path in golang.KINDS.extra if module.endswith("/cert-manager"))
TRAEFIK = images.simple(f"docker.io/library/traefik:{golang.TRAEFIK.version[1]}", golang.TRAEFIK, "traefik")

EXTRAS = {
    "ingress": Extra(GATEWAY_API, TRAEFIK, "ingress", "ingress/deployment/traefik"),
    "gateway-api": Extra(GATEWAY_API),
    "cloudnative-pg": Extra(CLOUDNATIVE_PG),
    "cert-manager": Extra(CERT_MANAGER),
}


def chosen(names: str) -> list[str]:
    """Read the names that a person gives."""
    found = names.replace(",", " ").split()
    for name in found:
        if name not in EXTRAS:
            raise problem(
                f'there is no addon "{name}"',
                allowed=", ".join(EXTRAS),
                mend=f'make cluster ADDONS="{next(iter(EXTRAS))}"',
            )
    return list(dict.fromkeys(found))


def ensure(report: Report, names: list[str]) -> None:
    """Have them on the cluster that is up. What was added before stays."""
    with lock(report):
        for name in names:
            with report.step(name) as step:
                extra = EXTRAS[name]
                step.detail = ", ".join(
                    [*([extra.image.reference] if extra.image else []), f"{len(extra.kinds)} kinds"]
                )
                _kinds(report, extra)
                if extra.image is not None and images.ensure(report, extra.image):
                    step.did("packed")
                if extra.manifest and extra.image is not None:
                    text = manifest(
                        extra.manifest, image=extra.image.reference, http=str(HTTP_PORT), https=str(HTTPS_PORT)
                    )
                    _apply(text)
                if extra.waits:
                    namespace, kind, each = extra.waits.split("/")
                    kubectl("-n", namespace, "rollout", "status", f"{kind}/{each}", f"--timeout={SECONDS}s")


def _kinds(report: Report, extra: Extra) -> None:
    folder = golang.build(golang.KINDS, report)
    text = "\n---\n".join((folder / name).read_text() for name in extra.kinds)
    _apply(text)
    kubectl("wait", "--for=condition=Established", f"--timeout={SECONDS}s", "-f", "-", text=text)


def _apply(text: str) -> None:
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=slipway-cluster", "-f", "-", text=text)
