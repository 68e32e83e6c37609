"""Files and folders appear in one piece or not at all."""

import fcntl
import threading
import time
from pathlib import Path

import pytest

from tools.bootstrapping import places


def test_a_file_is_written_once(tmp_path: Path) -> None:
    """The same text again changes nothing; another mode does."""
    target = tmp_path / "deep" / "file"
    assert places.write(target, "one")
    assert not places.write(target, "one")
    assert places.write(target, "one", 0o755)
    assert target.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_a_folder_appears_when_it_is_full(tmp_path: Path) -> None:
    """While it is filled, nobody sees it under its name."""
    target = tmp_path / "tool"
    with places.folder_in_one_piece(target) as folder:
        (folder / "file").write_text("x")
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tool"]


def test_an_interrupted_folder_is_gone(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves nothing, also if files are read-only as in Go's module cache."""

    def interrupted() -> None:
        with places.folder_in_one_piece(tmp_path / "tool") as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / "file").write_text("x")
            (folder / "sub").chmod(0o555)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_remains_of_a_killed_run_go(tmp_path: Path) -> None:
    """What a run left that had no time to clean up is removed by the next one, and only that."""
    (tmp_path / ".unfinished-tool-abc").mkdir()
    (tmp_path / ".unfinished-other-abc").mkdir()
    with places.folder_in_one_piece(tmp_path / "tool"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".unfinished-other-abc", "tool"]


def test_a_placed_file_is_a_link(tmp_path: Path) -> None:
    """A clone takes no room for what the cache holds, and takes it once."""
    source, target = tmp_path / "source", tmp_path / "clone" / "target"
    source.write_text("x")
    assert places.place(source, target)
    assert not places.place(source, target)
    assert source.stat().st_ino == target.stat().st_ino
    source.unlink()
    source.write_text("longer")
    assert places.place(source, target)
    assert target.read_text() == "longer"


def test_the_second_bootstrap_waits(tmp_path: Path) -> None:
    """Two at once do not run into each other, and the one that waits says so."""
    path = tmp_path / "lock"
    said: list[str] = []
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.3, lambda: fcntl.flock(file, fcntl.LOCK_UN)).start()
        start = time.monotonic()
        with places.lock(path, said.append):
            assert time.monotonic() - start > 0.2
    assert said == [f"another tools/bootstrap is at work (lock {path}); waiting for it"]
