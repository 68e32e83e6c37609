"""The image of the app: built once for each release, tagged with its identity.

It owns the build and the files that the builder reads. What is built is decided in ``release.py``.
"""

import os
from pathlib import Path

import pulumi_docker_build as docker_build
from pulumi import Output, Resource, ResourceOptions

from components.args import AppImageArgs
from components.installation import CA_SECRET, KNOWN_HOSTS_SECRET, NETRC_SECRET, SSH_ID
from components.model import Settings
from components.release import Release
from components.settings import ROOT


def write(release: Release, stack: str, root: Path = ROOT) -> str:
    """Put the Dockerfile where the builder finds it, and give its path relative to the repository."""
    file = Path(".slipway/build") / stack / "Dockerfile"
    for path, text in ((file, release.dockerfile), (file.with_name("Dockerfile.dockerignore"), release.ignore)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text:
            (root / path).write_text(text, encoding="utf-8")
    return file.as_posix()


def context(release: Release, root: Path = ROOT) -> str:
    """Give the folder of the project relative to the repository: nothing in the state may name a machine."""
    return Path(os.path.relpath(release.source, root)).as_posix()


def known_hosts(settings: Settings) -> str | None:
    """Give the text of the known_hosts file of a build; None for one without SSH."""
    hosts = settings.dependencies.ssh_hosts
    return "".join(f"{line}\n" for line in hosts) if hosts else None


def build(name: str, args: AppImageArgs, parent: Resource, *, push: bool) -> docker_build.Image:
    """Register the build, with the image on the host that builds it or in its registry."""
    given = {CA_SECRET: args.ca_bundle, NETRC_SECRET: args.netrc, KNOWN_HOSTS_SECRET: args.known_hosts}
    secrets = {key: Output.secret(value) for key, value in given.items() if value is not None} or None
    return docker_build.Image(
        f"{name}-build",
        tags=[tag(args)],
        context=docker_build.BuildContextArgs(location=args.context),
        dockerfile=docker_build.DockerfileArgs(location=args.dockerfile),
        labels=args.labels,
        secrets=secrets,
        # They say how to download, not what: another one is no reason to build.
        ignore_secrets_in_diff_calculation=[*secrets] if secrets else None,
        # The path is one that never changes: where the agent itself is, is another place each day.
        ssh=[docker_build.SSHArgs(id=SSH_ID, paths=[args.ssh_agent])] if args.ssh_agent else None,
        load=not push,
        push=push,
        # A preview with `load` skips the build anyway, and shows changes that are none.
        build_on_preview=False,
        # A registry may hold the image for others.
        opts=ResourceOptions(parent=parent, retain_on_delete=True),
    )


def tag(args: AppImageArgs) -> str:
    """Give the name of the image, with its tag."""
    return "/".join(part for part in (args.registry, f"{args.repository}:{args.release}") if part)
