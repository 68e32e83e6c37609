"""Asking an API over HTTP: with a limit of time, page by page, patient where the server asks for patience.

Redirects are not followed: they would carry the token to another address. An error is either worth another try
(``AgainError``) or final (a ``PipelineError``).
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from pipeline.console import PipelineError, Problem, problem
from pipeline.forge.place import Kind, Place

LIMIT_SECONDS = 30.0
"""How long one answer may take."""
PAGES = 200
"""The most pages that are read: far more than a request that anybody reads."""
NOT_FOUND, FORBIDDEN, UNAUTHORIZED, TOO_MANY, UNPROCESSABLE, SERVER_ERROR = 404, 403, 401, 429, 422, 500


class AgainError(Exception):
    """It did not work this time.

    Attributes:
        error: What to say if it never works.
        seconds: How long the server asks to wait; None when it says nothing.
    """

    def __init__(self, error: PipelineError, seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.seconds = seconds


class RefusedError(PipelineError):
    """It will not work, for a reason that stays.

    Attributes:
        status: What the server answered.
    """

    def __init__(self, status: int, reason: Problem) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """A good answer: what it says, and the address of the page after it."""

    content: Any
    after: str | None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object, **_options: object) -> None:
        """Let a redirect be the error that it is here."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def ask(place: Place, headers: Mapping[str, str], method: str, address: str, content: object = None) -> Answer:
    """Ask once.

    Raises:
        AgainError: The server is busy, away, or asks to wait.
        PipelineError: It refuses, for a reason that stays.
    """
    request = urllib.request.Request(  # noqa: S310 - place.py has checked that it is http or https
        address,
        data=None if content is None else json.dumps(content).encode(),
        headers={**headers, "User-Agent": "slipway", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with _OPENER.open(request, timeout=LIMIT_SECONDS) as answer:
            return Answer(json.load(answer), following(place, answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            raise refusal(place, error.code, error.headers, _said(error)) from None
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise AgainError(
            problem(
                f"{place.kind} at {place.api} does not answer: {reason or type(error).__name__}",
                allowed=f"an API that answers within {LIMIT_SECONDS:.0f} s",
                mend=f"curl --verbose {place.api}   # from this machine; a proxy belongs into HTTPS_PROXY",
            )
        ) from None
    except ValueError:
        raise problem(
            f"{place.kind} at {place.api} answers with something else than JSON",
            allowed="the address of an API, not of its pages or of a login",
        ) from None


def pages(place: Place, headers: Mapping[str, str], address: str) -> Iterator[Any]:
    """Give every entry of a list, page by page."""
    following_page: str | None = address
    for _ in range(PAGES):
        if following_page is None:
            return
        answer = ask(place, headers, "GET", following_page)
        if not isinstance(answer.content, list):
            raise problem(f"{place.kind} at {place.api} gives something else than a list of comments")
        yield from answer.content
        following_page = answer.after
    raise problem(f"{place.name} has more than {PAGES} pages of comments", mend="remove those that nobody reads")


def following(place: Place, headers: Message) -> str | None:
    """Find the next page, as both servers name it; one of another server is none."""
    for link in re.findall(r'<([^>]+)>\s*;\s*rel="?next"?', headers.get("Link", "")):
        if urlsplit(link)[:2] == urlsplit(place.api)[:2]:
            return str(link)
    return None


def refusal(place: Place, status: int, headers: Message, said: str) -> Exception:
    """Turn a status into what is wrong and what mends it."""
    wait = patience(headers)
    limited = status == TOO_MANY or (status == FORBIDDEN and (wait is not None or "rate limit" in said.lower()))
    what = f"{place.kind} answers {status}" + (f": {said}" if said else "")
    if limited:
        after = f"; it asks to wait {wait:.0f} s" if wait is not None else ""
        return AgainError(problem(f"{what}{after}", mend="run the job again later"), wait)
    if status >= SERVER_ERROR:
        return AgainError(problem(what, mend="run the job again later"), wait)
    token = f"{place.token_name}: " if status in {UNAUTHORIZED, FORBIDDEN} else ""
    return RefusedError(status, Problem(f"{token}{place.name}: {what}", mend=_mend(place, status)))


def patience(headers: Message) -> float | None:
    """Read how many seconds the server asks to wait; None when it does not."""
    after = headers.get("Retry-After", "")
    if after.isdecimal():
        return float(after)
    reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
    left = headers.get("X-RateLimit-Remaining") or headers.get("RateLimit-Remaining")
    if left == "0" and reset.isdecimal():
        return max(1.0, float(reset) - time.time())
    return None


def _mend(place: Place, status: int) -> str:
    github = place.kind is Kind.GITHUB
    if status == UNAUTHORIZED:
        return f"give {place.token_name} a token that has not expired"
    if status == FORBIDDEN and github:
        return "permissions: {pull-requests: write}   # of the job; the token of a fork's pull request may never write"
    if status == FORBIDDEN:
        return f"give {place.token_name} a token with the scope api, of a member who may comment"
    if status == NOT_FOUND:
        return f"give {place.token_name} a token that may read {place.repository.replace('%2F', '/')}; or, if that is another name now, use it"
    if status == UNPROCESSABLE:
        return "the conversation may be locked: unlock it, or run the job without the comment"
    return f"look at {place.api} by hand"


def _said(error: urllib.error.HTTPError) -> str:
    """Read what the server gives as the reason, in one short line."""
    source: IO[bytes] = error
    try:
        raw = source.read(20_000).decode(errors="replace")
        parsed = json.loads(raw)
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    text = parsed.get("message") or parsed.get("error") if isinstance(parsed, dict) else ""
    longest = 200
    return " ".join(str(text or "").split())[:longest]
