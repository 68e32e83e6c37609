"""The rules of .dockerignore. What each case expects is what BuildKit 0.26 sent for the same rules and files."""

import os
from pathlib import Path

import pytest

from components.ignore import ContextError, Rules

FILES = (
    "foo",
    "Foo.py",
    "a/foo.py",
    "a/b/foo",
    "a/b/keep.md",
    "build/keep.md",
    "docs/build/foo",
    "x y/foo",
    "b+c/.env",
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tree of files."""
    root = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def _sent(root: Path, text: str) -> set[str]:
    return {os.path.relpath(entry.path, root) for entry in Rules(text).files(root)}


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", set()),
        ("# foo\n\n", set()),
        ("\ufefffoo\n", {"foo"}),
        ("foo", {"foo"}),
        ("  foo  ", {"foo"}),
        ("/foo", {"foo"}),
        ("FOO", set()),
        ("foo.py", set()),
        ("*.py", {"Foo.py"}),
        ("**/*.py", {"Foo.py", "a/foo.py"}),
        ("**/foo", {"foo", "a/b/foo", "docs/build/foo", "x y/foo"}),
        ("**oo", {"foo", "a/b/foo", "docs/build/foo", "x y/foo"}),
        ("a", {"a/foo.py", "a/b/foo", "a/b/keep.md"}),
        ("a/", {"a/foo.py", "a/b/foo", "a/b/keep.md"}),
        ("./a/../build", {"build/keep.md"}),
        ("a/**", {"a/foo.py", "a/b/foo", "a/b/keep.md"}),
        ("*/b", {"a/b/foo", "a/b/keep.md"}),
        ("**/build", {"build/keep.md", "docs/build/foo"}),
        ("**/b/**", {"a/b/foo", "a/b/keep.md"}),
        ("?oo", {"foo"}),
        ("[fg]oo", {"foo"}),
        ("[^f]oo.py", {"Foo.py"}),
        ("x y", {"x y/foo"}),
        ("b+c", {"b+c/.env"}),
        ("b\\+c", {"b+c/.env"}),
        ("\\foo", set()),
        (".", set()),
        ("a\n!a/b", {"a/foo.py"}),
        ("a\n!a/b/foo", {"a/foo.py", "a/b/keep.md"}),
        ("a\n!**/keep.md", {"a/foo.py", "a/b/foo"}),
        ("!a/b\na", {"a/foo.py", "a/b/foo", "a/b/keep.md"}),
        ("*\n!a/b/foo", set(FILES) - {"a/b/foo"}),
        ("**/build\n!docs", {"build/keep.md", "docs/build/foo"}),
    ],
)
def test_a_file_is_left_out_by_the_last_line_that_matches(tree: Path, text: str, left_out: set[str]) -> None:
    """The walk sends exactly what BuildKit sends."""
    assert set(FILES) - _sent(tree, text) == left_out


def test_links_are_sent_and_not_followed(tmp_path: Path) -> None:
    """A symbolic link counts as a file, wherever it points; a pipe is nothing."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("x")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert _sent(tmp_path, "") == {"folder/file", "link", "broken"}


@pytest.mark.parametrize("line", ["!", "a[", "[]"])
def test_a_line_without_a_meaning_is_named(line: str) -> None:
    """What Docker refuses is refused before anything is built."""
    with pytest.raises(ContextError) as raised:
        Rules(f"foo\n{line}\n")
    assert str(raised.value) == (
        f".dockerignore, line 2: '{line}' means nothing\n"
        "  allowed: the patterns of Docker's .dockerignore\n"
        "  mend:    correct or remove the line"
    )


def test_a_folder_that_cannot_be_read_is_named_unless_it_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what goes into the image has to be readable."""
    (tmp_path / "secret").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert _sent(tmp_path, "secret") == set()
    with pytest.raises(ContextError) as raised:
        _sent(tmp_path, "")
    folder = tmp_path / "secret"
    assert str(raised.value) == (
        f"{folder} cannot be read (Permission denied), so it cannot become part of the image\n"
        "  allowed: files that the user of this process can read\n"
        f"  mend:    chmod u+r {folder}, or name it in .dockerignore"
    )
