"""A clone as a new user has it: nothing but what is in version control, and a shell that knows no tools.

It has a name and a port of its own, so that it does not meet the user's stack ``dev`` on the same machine. The cache of
built tools is shared; ``SLIPWAY_CACHE`` gives another one.
"""

import http.client
import os
import resource
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import docker
import yaml

from tests.e2e.site import ROOT, RUN, UP_SECONDS, Done, copy_repository, free_port, sweep


@dataclass
class Clone:
    """One clone, and the commands that are run in it."""

    folder: Path
    name: str
    port: int = field(default_factory=free_port)
    cpu: float = 0.0
    """CPU seconds of the last command, as ``time`` gives them."""

    @property
    def project(self) -> str:
        """The name of the app."""
        return f"e2e-{RUN}-{self.name}"

    def make(self) -> "Clone":
        """Write the clone, as it is in the working tree now."""
        copy_repository(self.folder)
        template = self.folder / "stacks/dev.template.yaml"
        content = yaml.safe_load(template.read_text())
        content["config"]["slipway:app"]["name"] = self.project
        content["config"]["slipway:edge"] = {"port": self.port}
        template.write_text(yaml.safe_dump(content))
        author = ("-c", "user.name=e2e", "-c", "user.email=e2e@localhost")
        for command in (("init", "-q"), ("add", "-A"), (*author, "commit", "-q", "-m", "as it is")):
            subprocess.run(["git", *command], cwd=self.folder, check=True, timeout=60)
        return self

    def environ(self) -> dict[str, str]:
        """The surroundings of a shell that knows nothing of this one's tools."""
        ours = (str(ROOT / ".slipway"), str(ROOT / ".venv"))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "BUILDX_", "VIRTUAL_ENV", "MAKE"))}
        kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if not p.startswith(ours))
        return kept

    def run(self, command: str, limit: float = UP_SECONDS) -> Done:
        """Run a command that has to work, as a user types it."""
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"$ {command}\n{done.stdout}")
        return Done(done.returncode, done.stdout, time.monotonic() - begun).good()

    def page(self, path: str = "/") -> str:
        """Ask for a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def close(self) -> None:
        """Leave nothing on the host."""
        client = docker.from_env()
        try:
            sweep(client, self.project)
        finally:
            client.close()
