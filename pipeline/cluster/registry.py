"""Whether the registry that a stack pushes its image to answers at all.

Credentials are left to the push itself, which uses those that `docker login` has stored: what it says is explained.
"""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator

from components.model import Settings
from components.problems import config_set
from pipeline.console import Problem

ANSWER_SECONDS = 5
KEY = ("kubernetes", "registry")
_LOCAL = ("127.", "localhost", "[::1]")


def problems(settings: Settings, stack: str) -> list[Problem]:
    """Check that somebody answers where images are pushed to; an image that was promoted is in a registry already."""
    if settings.promoted.image is not None:
        return []
    named = str(settings.kubernetes.registry)
    host = named.partition("/")[0]
    reason = ""
    for url in addresses(host):
        answer = _ask(url)
        if answer is None:
            return []
        reason = reason or answer
    return [
        Problem(
            f"slipway:kubernetes.registry: {host} does not answer: {reason}",
            allowed="a registry that this machine pushes to and that the cluster pulls from",
            mend=f"{config_set(KEY, 'REGISTRY', stack)}\n"
            "tools/bootstrap && . .slipway/env   # starts the one of this machine",
        )
    ]


def addresses(host: str) -> Iterator[str]:
    """Where the API of a registry may be: without TLS on this machine alone, as Docker has it."""
    if host.startswith(_LOCAL):
        yield f"http://{host}/v2/"
    yield f"https://{host}/v2/"


def _ask(url: str) -> str | None:
    """Say why nobody answers; None when somebody does, be it with a refusal."""
    # Whom the builder trusts is its own business; nothing is sent here but the question.
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS, context=blind):  # noqa: S310 - http and https alone
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except urllib.error.URLError as error:
        reason = error.reason
        return str(getattr(reason, "strerror", None) or reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
