"""Which pull request a job of CI works for, and with which token: from the variables that the CI systems set.

GitHub Actions and GitLab CI say it themselves. Jenkins says the address of the request (``CHANGE_URL``), from which the
rest follows. Nothing is asked over the network.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipeline.console import PipelineError, problem

ALLOWED = (
    "a job for a pull request in GitHub Actions (GITHUB_REPOSITORY, GITHUB_EVENT_PATH), for a merge request in GitLab CI "
    "(CI_MERGE_REQUEST_IID), or for either in Jenkins (CHANGE_URL)"
)


class Kind(StrEnum):
    """What speaks at the other end."""

    GITHUB = "GitHub"
    GITLAB = "GitLab"


@dataclass(frozen=True)
class Place:
    """One pull request.

    Attributes:
        kind: What speaks there.
        api: Address of its API, without a slash at the end.
        repository: ``owner/name`` on GitHub, the id or the quoted path of the project on GitLab.
        number: Number of the request.
        token: What proves who asks. It is in no text.
        token_name: The variable that it comes from.
    """

    kind: Kind
    api: str
    repository: str
    number: int
    token: str = field(repr=False)
    token_name: str

    @property
    def name(self) -> str:
        """The request, as errors name it."""
        what = "pull request" if self.kind is Kind.GITHUB else "merge request"
        return f"{what} {self.number} of {self.repository.replace('%2F', '/')}"


def find(environ: Mapping[str, str]) -> Place:
    """Find the pull request; raise what is missing when there is none."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _actions(environ)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab_ci(environ)
    if environ.get("CHANGE_URL"):
        return _jenkins(environ["CHANGE_URL"], environ)
    raise problem("no pull request: none of the variables that say which one is set", allowed=ALLOWED)


def _actions(environ: Mapping[str, str]) -> Place:
    number = _number_of_event(environ.get("GITHUB_EVENT_PATH", ""))
    if number is None:
        found = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", environ.get("GITHUB_REF", ""))
        number = int(found[1]) if found else None
    if number is None:
        raise problem(
            f"GITHUB_EVENT_PATH: the event {environ.get('GITHUB_EVENT_NAME') or 'of this job'} is about no pull request",
            allowed="a job with `on: pull_request`",
        )
    return Place(
        Kind.GITHUB,
        _address("GITHUB_API_URL", environ.get("GITHUB_API_URL") or "https://api.github.com"),
        _needed("GITHUB_REPOSITORY", environ),
        number,
        *_token(environ, ("GITHUB_TOKEN", "GH_TOKEN"), _NO_GITHUB),
    )


def _gitlab_ci(environ: Mapping[str, str]) -> Place:
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdecimal():
        raise problem(
            "CI_MERGE_REQUEST_IID is not set: this pipeline is about no merge request",
            allowed="a job with `rules: - if: $CI_PIPELINE_SOURCE == 'merge_request_event'`",
        )
    return Place(
        Kind.GITLAB,
        _address("CI_API_V4_URL", _needed("CI_API_V4_URL", environ)),
        _needed("CI_PROJECT_ID", environ),
        int(number),
        *_token(environ, ("GITLAB_TOKEN",), _NO_GITLAB),
    )


def _jenkins(address: str, environ: Mapping[str, str]) -> Place:
    parts = urlsplit(address)
    server = f"{parts.scheme}://{parts.netloc}"
    if found := re.fullmatch(r"/([^/]+/[^/]+)/pull/(\d+)/?", parts.path):
        api = "https://api.github.com" if parts.netloc == "github.com" else f"{server}/api/v3"
        api = environ.get("GITHUB_API_URL") or api
        token = _token(environ, ("GITHUB_TOKEN", "GH_TOKEN"), _NO_GITHUB)
        return Place(Kind.GITHUB, _address("GITHUB_API_URL", api), found[1], int(found[2]), *token)
    if found := re.fullmatch(r"/(.+)/-/merge_requests/(\d+)/?", parts.path):
        api = environ.get("CI_API_V4_URL") or f"{server}/api/v4"
        token = _token(environ, ("GITLAB_TOKEN",), _NO_GITLAB)
        return Place(Kind.GITLAB, _address("CI_API_V4_URL", api), quote(found[1], safe=""), int(found[2]), *token)
    raise problem(
        f"CHANGE_URL: {address} is no address of a pull request",
        allowed="https://HOST/OWNER/NAME/pull/NUMBER, or https://HOST/PATH/-/merge_requests/NUMBER",
    )


_NO_GITHUB = (
    "permissions: {pull-requests: write}   # of the job in GitHub Actions, and in its step:\n"
    "env: {GITHUB_TOKEN: ${{ github.token }}}"
)
_NO_GITLAB = "a project access token with the scope api, as masked variable GITLAB_TOKEN; CI_JOB_TOKEN may not comment"


def _token(environ: Mapping[str, str], names: tuple[str, ...], mend: str) -> tuple[str, str]:
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            if not value.isascii() or not value.isprintable() or " " in value:
                raise problem(f"{name} holds characters that no token has", mend=mend)
            return value, name
    raise problem(f"{names[0]} is not set: without a token nothing can be posted", mend=mend)


def _needed(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise problem(f"{name} is not set", allowed=ALLOWED)
    return value


def _address(name: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise problem(f"{name}: {value} is no address of an API", allowed="https://HOST/PATH")
    return value.rstrip("/")


def _number_of_event(path: str) -> int | None:
    if not path:
        return None
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    request = event.get("pull_request") if isinstance(event, dict) else None
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def _unreadable(path: str, error: Exception) -> PipelineError:
    return problem(f"GITHUB_EVENT_PATH: {path} cannot be read: {error}", allowed="the JSON that GitHub Actions writes")
