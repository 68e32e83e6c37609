"""The file ``.slipway/env``: what a shell must know to use what was brought.

What the user has set goes first: a backend, a passphrase, a Docker host, a kubeconfig are only given where none is chosen. What
the file of another clone has set in the same shell was chosen by nobody: one clone would go on with the state of another.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from tools.airgap.cluster import place
from tools.bootstrapping import docker, places

MIRROR = "127.0.0.1:5000"
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
"""The certificates that Debian's own programs trust, those of a company's network among them."""


@dataclass(frozen=True)
class Chosen:
    """What the bootstrap found out.

    Attributes:
        pulumi_home: Where Pulumi's plugins are, if not where Pulumi looks by itself.
        docker_host: Where the Docker daemon is.
        buildx_config: Where the builder is described, if it is one of this machine.
    """

    pulumi_home: Path | None
    docker_host: str
    buildx_config: Path | None


def default(name: str, value: str) -> list[str]:
    """Set a variable unless the user has."""
    return [f'export {name}="${{{name}:-}}"', f'[ -n "${name}" ] || {name}={shlex.quote(value)}']


def text(chosen: Chosen) -> str:
    """Write the file's text."""
    first = f"{places.BIN}:{places.VENV / 'bin'}"
    lines = [
        "# Written by tools/bootstrap; changes are lost. Use it with: . .slipway/env",
        f'case ":$PATH:" in *{shlex.quote(f":{first}:")}*) ;; *) PATH={shlex.quote(first)}:"$PATH" ;; esac',
        "export PATH",
        "# what the file of another clone has set in this shell is not kept",
        'if [ -n "${SLIPWAY_CLONE:-}" ]; then',
        '  [ "${PULUMI_BACKEND_URL:-}" != "file://$SLIPWAY_CLONE/state" ] || unset PULUMI_BACKEND_URL',
        '  [ "${PULUMI_CONFIG_PASSPHRASE_FILE:-}" != "$SLIPWAY_CLONE/passphrase" ] || unset PULUMI_CONFIG_PASSPHRASE_FILE',
        "fi",
        f"export SLIPWAY_CLONE={shlex.quote(str(places.LOCAL))}",
        *default("PULUMI_BACKEND_URL", f"file://{places.LOCAL}/state"),
        'if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}" ] && [ -z "${PULUMI_CONFIG_PASSPHRASE_FILE+set}" ]; then',
        f"  export PULUMI_CONFIG_PASSPHRASE_FILE={shlex.quote(str(places.LOCAL / 'passphrase'))}",
        "fi",
        "export PULUMI_SKIP_UPDATE_CHECK=true",
    ]
    if SYSTEM_BUNDLE.is_file():
        lines += ["# what the steps of a build trust: see slipway:build.ca_bundle in docs/settings.md"]
        lines += default("SSL_CERT_FILE", str(SYSTEM_BUNDLE))
    if chosen.docker_host != docker.DEFAULT:
        lines += default("DOCKER_HOST", chosen.docker_host)
    if chosen.pulumi_home is not None:
        lines += [
            f"export PULUMI_HOME={shlex.quote(str(chosen.pulumi_home))}",
            "export PULUMI_IGNORE_AMBIENT_PLUGINS=true",
            "# without it Pulumi tries to download plugins that no stack here uses: 2.4 s more for each command",
            "export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
        ]
    if chosen.buildx_config is not None:
        lines.append(f"export BUILDX_CONFIG={shlex.quote(str(chosen.buildx_config))}")
        lines += ["# where the images of stacks on Kubernetes are pushed: see slipway:kubernetes.registry"]
        lines += default("SLIPWAY_REGISTRY", MIRROR)
    kubeconfig = shlex.quote(str(place.kubeconfig()))
    lines += [
        "# the cluster of `make cluster`, while there is one",
        f'if [ -z "${{KUBECONFIG:-}}" ] && [ -f {kubeconfig} ]; then export KUBECONFIG={kubeconfig}; fi',
    ]
    return "\n".join(lines) + "\n"


def save(chosen: Chosen) -> bool:
    """Write the file, and make the folders that it names; whether it changed."""
    (places.LOCAL / "state").mkdir(parents=True, exist_ok=True)
    return places.write(places.ENV, text(chosen))
