"""The identity of a release."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components import dockerfile, release
from components.ignore import ContextError
from tests.sample import settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project."""
    root = tmp_path / "shop"
    for name, text in {
        "manage.py": "print('manage')",
        "requirements.txt": "django\n",
        "config/settings.py": "",
        "config/wsgi.py": "application = None",
        "config/__pycache__/wsgi.pyc": "compiled",
        "shop/empty/.gitkeep": "",
        ".env": "SECRET_KEY=x",
        ".git/HEAD": "ref",
        "db.sqlite3": "rows",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "manage.py").chmod(0o755)
    return root


def _identity(project: Path, **app: object) -> str:
    return release.plan(settings({"app": {"source": str(project), **app}})).identity


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        _write("config/settings.py", "DEBUG = 1"),
        _write("config/new.py", ""),
        _write("requirements.txt", "django\nredis\n"),
        _write(".dockerignore", "docs\n"),
        lambda root: (root / "manage.py").chmod(0o644),
        lambda root: (root / "config/wsgi.py").rename(root / "config/asgi.py"),
        lambda root: (root / "link").symlink_to("manage.py"),
        lambda root: (root / "config/wsgi.py").unlink(),
    ],
    ids=["content", "file", "requirements", "rules", "executable", "name", "link", "deletion"],
)
def test_what_is_in_the_image_changes_the_identity(project: Path, change: Callable[[Path], object]) -> None:
    """Whatever the image would hold differently is another release."""
    before = _identity(project)
    change(project)
    assert _identity(project) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: os.utime(root / "manage.py", (1, 1)),
        lambda root: (root / "manage.py").chmod(0o700),
        lambda root: (root / "config/wsgi.py").chmod(0o600),
        lambda root: (root / "config").chmod(0o700),
        lambda root: (root / "config/more").mkdir(),
        _write(".env", "SECRET_KEY=y"),
        _write("db.sqlite3", "more rows"),
        _write(".git/HEAD", "other"),
        _write("config/__pycache__/wsgi.pyc", "compiled again"),
    ],
    ids=["time", "umask", "umask of a file", "umask of a folder", "empty folder", "env", "rows", "commit", "cache"],
)
def test_what_is_not_in_the_image_does_not(project: Path, change: Callable[[Path], object]) -> None:
    """Nothing that belongs to a machine, a moment or version control makes a release."""
    before = _identity(project)
    change(project)
    assert _identity(project) == before


def test_the_same_tree_elsewhere_is_the_same_release(project: Path, tmp_path: Path) -> None:
    """A copy that was made in another order, under another path, has the same identity."""
    other = tmp_path / "elsewhere" / "shop"
    for path in sorted(project.rglob("*"), reverse=True):
        target = other / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            shutil.copy(path, target)
    assert _identity(other) == _identity(project)


def test_an_identity_never_changes_by_itself(project: Path) -> None:
    """The same texts and files give this very identity, also with another version of Slipway or Python."""
    assert release.identity(project, "FROM x\n", "**/.*\n**/*.sqlite3\n") == "cbde8021d3b4"


def test_settings_of_a_stack_are_no_release() -> None:
    """Stacks that differ in what only a container sees share an image."""
    one = settings({"domain": "one.example.org", "web": {"replicas": 1, "stop_grace_seconds": 5}})
    two = settings({"domain": "two.example.org", "web": {"replicas": 5}, "edge": {"address": "0.0.0.0"}})  # noqa: S104 - never bound
    assert release.plan(one).identity == release.plan(two).identity
    other = settings({"build": {"base_image": "python:3.12-slim"}})
    assert release.plan(other).identity != release.plan(one).identity


def test_labels_say_what_is_known_and_stay_the_same(project: Path) -> None:
    """The labels follow from content and settings: no commit, no time, no path of a machine."""
    planned = release.plan(settings({"app": {"source": str(project)}}))
    assert planned.labels == {
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.revision": planned.identity,
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "org.opencontainers.image.source": "shop",
    }
    assert release.plan(settings()).labels["org.opencontainers.image.source"] == "examples/guestbook"


def test_the_projects_own_dockerfile_is_taken_as_it_is(project: Path) -> None:
    """With a Dockerfile of its own, nothing of ours is in the image, and its own rules come first."""
    (project / "deploy").mkdir()
    (project / "deploy/Dockerfile").write_text("FROM scratch\n")
    (project / ".dockerignore").write_text("docs\n")
    (project / "requirements.txt").unlink()
    planned = release.plan(settings({"app": {"source": str(project), "dockerfile": "deploy/Dockerfile"}}))
    assert planned.dockerfile == "FROM scratch\n"
    assert planned.source == project
    assert planned.ignore.startswith("docs\n\n# Always left out, by Slipway.\n**/.git\n")
    (project / "deploy/Dockerfile.dockerignore").write_text("other\n")
    planned = release.plan(settings({"app": {"source": str(project), "dockerfile": "deploy/Dockerfile"}}))
    assert planned.ignore.startswith("other\n\n# Always left out, by Slipway.\n")


def test_too_much_is_refused_with_the_largest_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video that lies in the project is named before it is sent anywhere."""
    monkeypatch.setattr(release, "LIMIT_MB", 1)
    (project / "videos").mkdir()
    (project / "videos/a.mp4").write_bytes(b"x" * 900_000)
    (project / "videos/b.mp4").write_bytes(b"x" * 900_000)
    (project / "dump.sql").write_bytes(b"x" * 300_000)
    with pytest.raises(ContextError) as raised:
        _identity(project)
    assert str(raised.value) == (
        f"{project} has 2.1 MB of files for the image; the largest: videos/ (1.8 MB), dump.sql (0.3 MB), "
        "config/ (0.0 MB), manage.py (0.0 MB), requirements.txt (0.0 MB)\n"
        "  allowed: 1 MB; code, templates and static files are seldom more than 10\n"
        f"  mend:    echo 'videos/' >> {project}/.dockerignore, for what the image does not need"
    )
    (project / ".dockerignore").write_text("videos/\n")
    assert _identity(project)


def test_a_file_that_cannot_be_read_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission is an error with its name and a way out, never a different release."""
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "wsgi.py":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(ContextError, match=r"config/wsgi\.py cannot be read \(Permission denied\)"):
        _identity(project)


def test_an_ordinary_project_is_read_at_once(project: Path) -> None:
    """Two thousand files beside twenty thousand ignored ones take less than a second, also on a busy machine."""
    for folder in range(40):
        (project / f"app{folder}").mkdir()
        for number in range(50):
            (project / f"app{folder}/file{number}.py").write_text("x = 1\n" * 100)
    for folder in range(20):
        (project / f"node_modules/p{folder}").mkdir(parents=True)
        for number in range(50):
            (project / f"node_modules/p{folder}/{number}.js").touch()
    started = time.process_time()
    _identity(project)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("media_root", "own", "first", "last"),
    [
        ("/srv/media", None, "# Always left out, by Slipway.", "**/*.dockerignore"),
        ("/srv/media", "\n", "# Always left out, by Slipway.", "**/*.dockerignore"),
        ("/app/media", None, "# Always left out, by Slipway.", "/media"),
        ("/srv/media", "docs\n!**/.env\n", "docs", "**/*.dockerignore"),
    ],
)
def test_what_is_always_left_out_comes_last(media_root: str, own: str | None, first: str, last: str) -> None:
    """The project's own rules come first, so that none of them can take a secret back in."""
    said = settings({"media": {"root": media_root}})
    lines = dockerfile.ignore_text(said, own).splitlines()
    assert (lines[0], lines[-1]) == (first, last)
