"""What can be reached from here, found out quickly, and downloads in one piece.

A route that is blocked by a firewall often answers nothing at all: no question takes longer than three seconds.
"""

import functools
import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from pipeline.console import problem

PROBE_SECONDS = 3.0
READ_SECONDS = 60.0
PULUMI = "https://get.pulumi.com"
DOCKER_HUB = "https://registry-1.docker.io/v2/"
DENIED = 401  # what Docker Hub says to whoever has not logged in yet: it is there
FAILURES = (OSError, http.client.HTTPException, ValueError)


@functools.cache
def reachable(url: str) -> bool:
    """Whether a server answers as it should."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - the two addresses above
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):  # noqa: S310 - as above
            return True
    except urllib.error.HTTPError as error:
        return error.code == DENIED and error.headers.get("Docker-Distribution-Api-Version") is not None
    except FAILURES:
        return False


def download(url: str, target: Path) -> str:
    """Fetch a file; its SHA-256."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=READ_SECONDS) as answer, target.open("wb") as file:  # noqa: S310 - https addresses of our own
            while chunk := answer.read(1 << 20):
                digest.update(chunk)
                file.write(chunk)
    except FAILURES as error:
        if isinstance(error, OSError) and error.filename:
            raise  # of the file, not of the network
        raise problem(f"cannot download {url}: {error}") from None
    return digest.hexdigest()
