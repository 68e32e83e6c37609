"""GitHub and GitLab in a thread: the few answers of their APIs that matter here, over real HTTP.

As the real ones do, they give comments page by page with a ``Link``, know who may do what, and answer with a reason.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "made-up-token"


@dataclass
class Refusal:
    """An answer that is given instead of the right one."""

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    after_doing: bool = False
    """Whether what was asked for is done all the same: the answer alone got lost."""


class Forge(ThreadingHTTPServer):
    """What is there, what was asked, and what goes wrong next."""

    daemon_threads = True
    user: dict[str, Any] | None
    """Whose token it is; None: the token of a job, which may not ask."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.user = {"id": 7, "login": "robot", "type": "User"}
        self.author: dict[str, Any] = self.user
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refusals: list[tuple[str, Refusal]] = []
        self.page = 30
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def as_job(self) -> None:
        """Give the token to a job of GitHub Actions: it comments as a bot, and is not told its own name."""
        self.user, self.author = None, {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}

    def add(self, body: str, author: dict[str, Any] | None = None, **more: object) -> int:
        """Let somebody comment."""
        number = 100 + len(self.comments)
        self.comments.append(
            {
                "id": number,
                "body": body,
                "user": author or self.author,
                "author": author or self.author,
                "html_url": f"https://forge.example/c/{number}",
                "system": False,
                **more,
            }
        )
        return number

    def refuse(self, method: str, status: int, message: str = "", **more: Any) -> None:  # noqa: ANN401 - fields of Refusal
        """Refuse the next request of a method."""
        self.refusals.append((method, Refusal(status, message, **more)))

    def bodies(self) -> list[str]:
        """What the comments say."""
        return [str(each["body"]) for each in self.comments]

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Forge

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append(f"{self.command} {self.path}")
        for each in self.server.refusals:
            method, refusal = each
            if method == self.command:
                self.server.refusals.remove(each)
                if refusal.after_doing:
                    self._right(sent)
                raw = json.dumps({"message": refusal.message}).encode() if refusal.raw is None else refusal.raw
                self._send(refusal.status, raw, refusal.headers)
                return
        status, content, headers = self._right(sent)
        self._send(status, json.dumps(content).encode(), headers)

    do_GET = do_POST = do_PATCH = do_PUT = _handle  # noqa: N815 - names that http.server looks for

    def _send(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _right(self, sent: Any) -> tuple[int, Any, dict[str, str]]:  # noqa: ANN401 - any JSON
        """Do what was asked for."""
        token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != TOKEN:
            return 401, {"message": "Bad credentials"}, {}
        parts = urlsplit(self.path)
        if parts.path.endswith("/user"):
            if self.server.user is None:
                return 403, {"message": "Resource not accessible by integration"}, {}
            return 200, self.server.user, {}
        if re.search(
            r"/(repos/me/shop/issues/5/comments|projects/(?:12|me%2Fshop)/merge_requests/5/notes)$", parts.path
        ):
            return self._create(sent) if self.command == "POST" else self._list(parts.path, parse_qs(parts.query))
        found = re.search(r"/(?:repos/me/shop/issues/comments|merge_requests/5/notes)/(\d+)$", parts.path)
        for each in self.server.comments:
            if found and each["id"] == int(found[1]):
                each["body"] = sent["body"]
                return 200, each, {}
        return 404, {"message": "Not Found"}, {}

    def _create(self, sent: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        number = self.server.add(sent["body"])
        return 201, next(each for each in self.server.comments if each["id"] == number), {}

    def _list(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        number = int(query.get("page", ["1"])[0])
        size = min(self.server.page, int(query["per_page"][0]))
        entries = self.server.comments[(number - 1) * size : number * size]
        if number * size >= len(self.server.comments):
            return 200, entries, {}
        after = f"{self.server.address}{path}?per_page={size}&page={number + 1}"
        return 200, entries, {"Link": f'<{after}>; rel="next", <{self.server.address}{path}?page=99>; rel="last"'}
