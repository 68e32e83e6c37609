"""A file is written in one piece, or not at all."""

from pathlib import Path

import pytest

from pipeline import draft


def test_a_new_file_and_another_in_its_place(tmp_path: Path) -> None:
    """The file holds what was written last, and no draft is left."""
    file = tmp_path / "a.yaml"

    draft.write(file, "one\n")
    draft.write(file, "zwölf\n")

    assert file.read_text(encoding="utf-8") == "zwölf\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old text stays, and the draft goes."""
    file = tmp_path / "a.yaml"
    file.write_text("old\n", encoding="utf-8")

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        draft.write(file, "new\n")

    assert file.read_text(encoding="utf-8") == "old\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.yaml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A stack file that lies elsewhere is written where it lies."""
    (tmp_path / "kept").mkdir()
    real, link = tmp_path / "kept" / "a.yaml", tmp_path / "a.yaml"
    real.write_text("old\n", encoding="utf-8")
    link.symlink_to(real)

    draft.write(link, "new\n")

    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new\n"


def test_what_is_no_file_is_not_replaced() -> None:
    """A device takes the text and is still a device."""
    draft.write(Path("/dev/null"), "text\n")

    assert Path("/dev/null").is_char_device()
