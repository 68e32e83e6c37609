"""The file ``.slipway/env``: what a shell must know to use what was brought.

What the user has set goes first: a backend, a passphrase, a Docker host are only given where none is chosen.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from tools.bootstrapping import docker, places


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


def text(chosen: Chosen) -> str:
    """Write the file's text."""
    quoted = shlex.quote
    first = f"{places.BIN}:{places.VENV / 'bin'}"
    backend, passphrase = f"file://{places.LOCAL / 'state'}", str(places.LOCAL / "passphrase")
    lines = [
        "# Written by tools/bootstrap; changes are lost. Use it with: . .slipway/env",
        f'case ":$PATH:" in *{quoted(f":{first}:")}*) ;; *) PATH={quoted(first)}:"$PATH" ;; esac',
        "export PATH",
        'export PULUMI_BACKEND_URL="${PULUMI_BACKEND_URL:-}"',
        f'[ -n "$PULUMI_BACKEND_URL" ] || PULUMI_BACKEND_URL={quoted(backend)}',
        'if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}" ] && [ -z "${PULUMI_CONFIG_PASSPHRASE_FILE+set}" ]; then',
        f"  export PULUMI_CONFIG_PASSPHRASE_FILE={quoted(passphrase)}",
        "fi",
        "export PULUMI_SKIP_UPDATE_CHECK=true",
    ]
    if chosen.docker_host != docker.DEFAULT:
        lines.append(f'export DOCKER_HOST="${{DOCKER_HOST:-{chosen.docker_host}}}"')
    if chosen.pulumi_home is not None:
        lines += [
            f"export PULUMI_HOME={quoted(str(chosen.pulumi_home))}",
            "export PULUMI_IGNORE_AMBIENT_PLUGINS=true",
            "export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
        ]
    if chosen.buildx_config is not None:
        lines.append(f"export BUILDX_CONFIG={quoted(str(chosen.buildx_config))}")
    return "\n".join(lines) + "\n"


def save(chosen: Chosen) -> bool:
    """Write the file, and make the folders that it names; whether it changed."""
    (places.LOCAL / "state").mkdir(parents=True, exist_ok=True)
    return places.write(places.ENV, text(chosen))
