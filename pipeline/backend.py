"""The place of the state, as ``PULUMI_BACKEND_URL`` names it: what it may be, how it is shown, what its errors mean.

It asks nothing over the network. A password in the address is in no text: Pulumi itself would print it.
"""

import re
from collections.abc import Mapping
from re import Match
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.console import Problem, problem

if TYPE_CHECKING:
    from pipeline.engine import Engine

VARIABLE = "PULUMI_BACKEND_URL"
FILE, S3, POSTGRES = "file", "s3", "postgres"
SCHEMES = (FILE, S3, "gs", "azblob", POSTGRES, "https", "http")
"""What the engine knows. Whatever else it takes for its own service, and asks for a token."""


def url(environ: Mapping[str, str]) -> str:
    """Give the address; raise when there is none, or none that the engine knows."""
    found = environ.get(VARIABLE, "")
    if not found:
        raise problem(
            f"{VARIABLE} is not set",
            allowed="the address of a Pulumi backend, such as file:///path/of/a/folder",
            mend=". .slipway/env",
        )
    if urlsplit(found).scheme not in SCHEMES:
        raise problem(
            f"{VARIABLE}: {shown(found)} is no place for a state",
            allowed=", ".join(f"{scheme}://" for scheme in SCHEMES),
        )
    return found


def password(found: str) -> str | None:
    """The password in the address, as it is written there."""
    _, _, after = urlsplit(found).netloc.rpartition("@")[0].partition(":")
    return after or None


def shown(found: str) -> str:
    """The address without its options and its password."""
    parts = urlsplit(found)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return f"{parts.scheme}://{f'{name}@' if name else ''}{host}{parts.path}"


def without_password(text: str, environ: Mapping[str, str]) -> str:
    """Take the password of the address out of what Pulumi says."""
    hidden = password(environ.get(VARIABLE, ""))
    return text.replace(f":{hidden}@", ":****@") if hidden else text


def doubt(environ: Mapping[str, str]) -> str | None:
    """Say what is odd about the address, if something is."""
    found = environ.get(VARIABLE, "")
    if password(found) is None:
        return None
    return f"{VARIABLE} holds a password, which Pulumi prints with some errors: give it as PGPASSWORD instead"


def explain(found: Match[str], engine: "Engine") -> Problem:
    """Say why the place of the state cannot be used."""
    address = engine.environ.get(VARIABLE, "")
    why = without_password(_reason(found["why"].strip().rstrip(".")), engine.environ)
    what = f"{VARIABLE}: the state in {shown(address)} cannot be reached: {why}"
    for pattern, allowed, mend in _MENDS.get(urlsplit(address).scheme, ()):
        if re.search(pattern, found["why"]):
            return Problem(what, allowed=allowed, mend=mend.format(bucket=urlsplit(address).netloc))
    return Problem(
        what, mend=f"pulumi stack ls   # asks the same place; {VARIABLE} and its credentials are in docs/state.md"
    )


def _reason(said: str) -> str:
    """Leave out what libraries put around the words of the server or of the network."""
    if "get credentials" in said:
        return "there are no credentials"
    if network := re.search(r"\b(?:dial tcp|lookup|x509)\b.*", said):
        return network[0]
    return re.sub(r"^(?:failed to ping PostgreSQL: |pq: |api error )+", "", said.rpartition(", ")[2])


_MENDS: dict[str, tuple[tuple[str, str | None, str], ...]] = {
    S3: (
        ("AuthorizationHeaderMalformed|PermanentRedirect", "the region of the bucket", "export AWS_REGION=REGION"),
        (
            "NoSuchBucket",
            "a bucket that exists",
            "aws s3api create-bucket --bucket {bucket}   # with --endpoint-url where the server is your own",
        ),
        (
            "SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|get credentials|get identity",
            "credentials that may list, read, write and delete in the bucket",
            "export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...   # or AWS_PROFILE",
        ),
    ),
    POSTGRES: (
        (
            "password|role .* does not exist",
            "a role of the database, its password in PGPASSWORD",
            "export PGPASSWORD=...   # not in the address: Pulumi prints that",
        ),
        (
            "permission denied for schema|must be owner of",
            "the role that owns the table: Pulumi makes sure of it each time, so no other role can read a state",
            "python -m pipeline state STACK --output FILE   # by that role: a copy for others, without secrets",
        ),
        ("database .* does not exist", "a database that exists; Pulumi makes its table", "createdb NAME"),
        (
            "SSL is not enabled",
            "a server with TLS, or sslmode=disable on a network that nobody else is on",
            f"export {VARIABLE}=postgres://USER@HOST/NAME?sslmode=disable",
        ),
    ),
}
