"""A server that lets nobody in without a password: an index with one package, and one git repository."""

import base64
import functools
import http.server
import json
import secrets
import socket
import subprocess
import threading
import zipfile
from pathlib import Path
from typing import Self

WHEEL = "ourprices-1.0-py3-none-any.whl"


class _Handler(http.server.SimpleHTTPRequestHandler):
    wanted: str

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == self.wanted:
            if self.path == "/simple/ourprices/":
                self.list()
            else:
                super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def list(self) -> None:
        """Answer as an index that says when something was published."""
        file = {
            "filename": WHEEL,
            "url": WHEEL,
            "hashes": {},
            "upload-time": "2026-01-01T00:00:00Z",
        }
        body = json.dumps({"meta": {"api-version": "1.1"}, "name": "ourprices", "files": [file]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


class Private:
    """The server, while a test runs. A build reaches it by an address of this machine."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect(("192.0.2.1", 9))  # sends nothing; it only tells which address leads outside
            self.host: str = asked.getsockname()[0]
        _wheel(folder)
        _repository(folder)
        wanted = "Basic " + base64.b64encode(f"robot:{self.token}".encode()).decode()
        handler = functools.partial(type("Handler", (_Handler,), {"wanted": wanted}), directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)  # noqa: S104 - a build is elsewhere
        self.url = f"http://{self.host}:{self._server.server_address[1]}"

    @property
    def netrc(self) -> str:
        """The credentials."""
        return f"machine {self.host} login robot password {self.token}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _wheel(folder: Path) -> None:
    place = folder / "simple/ourprices"
    place.mkdir(parents=True)
    info = "ourprices-1.0.dist-info"
    with zipfile.ZipFile(place / WHEEL, "w") as wheel:
        wheel.writestr("ourprices.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: ourprices\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"ourprices.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def _repository(folder: Path) -> None:
    work = folder / "work"
    work.mkdir()
    (work / "oursecrets.py").write_text("")
    (work / "pyproject.toml").write_text(
        '[project]\nname = "oursecrets"\nversion = "2.0"\n\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    by = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for command in (
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "add", "."),
        ("git", *by, "commit", "--quiet", "--message=first"),
        ("git", "clone", "--quiet", "--bare", ".", "../oursecrets.git"),
        ("git", "-C", "../oursecrets.git", "update-server-info"),
    ):
        subprocess.run(command, cwd=work, check=True, timeout=30)
