"""Stand-in images: where packages come from, what goes into a layer, and what is said when it cannot be done."""

import errno
import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from pipeline.console import PipelineError
from tools.airgap import images, registry
from tools.airgap.images import apt, archive

DEB822 = """\
# a comment
Types: deb deb-src
URIs: https://user:word@mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.example/security
Suites: trixie-security
Components: main
"""


def write(folder: Path, name: str, text: str) -> None:
    """Write a file of apt's configuration."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(autouse=True)
def _no_mirror_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_DEBIAN_MIRROR", raising=False)
    monkeypatch.delenv("SLIPWAY_DEBIAN_SECURITY_MIRROR", raising=False)


# --- apt ------------------------------------------------------------------------------------------------------------


def test_the_archive_is_read_from_a_sources_file(tmp_path: Path) -> None:
    """The archive and its security updates are taken from where the machine has them."""
    write(tmp_path, "sources.list.d/debian.sources", DEB822)
    assert apt.archive(tmp_path) == apt.Archive(
        "https://user:word@mirror.example/debian", "https://mirror.example/security"
    )


def test_the_archive_is_read_from_the_one_line_format(tmp_path: Path) -> None:
    """Options in brackets, comments and sources of source packages are no obstacle."""
    write(
        tmp_path,
        "sources.list",
        "# deb http://wrong.example/debian bookworm main\n"
        "deb-src http://wrong.example/debian bookworm main\n"
        "deb [arch=amd64 trusted=yes] http://mirror.example/debian bookworm main # ours\n"
        "deb http://mirror.example/security bookworm-security main\n",
    )
    assert apt.archive(tmp_path) == apt.Archive("http://mirror.example/debian", "http://mirror.example/security")


@pytest.mark.parametrize(
    "line",
    [
        "deb https://docker.example/linux/debian bookworm stable\n",
        "deb https://postgres.example/apt bookworm-pgdg main\n",
        "deb cdrom:[Debian]/ bookworm main\n",
        "deb https://node.example nodistro main\n",
    ],
)
def test_a_source_that_is_not_debians_archive_is_not_taken(tmp_path: Path, line: str) -> None:
    """Other people's repositories are no base for images, and the error says what to set."""
    write(tmp_path, "sources.list.d/other.list", line)
    with pytest.raises(PipelineError, match="SLIPWAY_DEBIAN_MIRROR"):
        apt.archive(tmp_path)


def test_a_disabled_source_is_not_taken(tmp_path: Path) -> None:
    """A block that apt ignores is ignored here."""
    write(tmp_path, "sources.list.d/debian.sources", f"Enabled: no\n{DEB822.partition(chr(10))[2]}")
    with pytest.raises(PipelineError, match="names no Debian archive"):
        apt.archive(tmp_path)


def test_a_chosen_mirror_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is no Debian can still say where from."""
    monkeypatch.setenv("SLIPWAY_DEBIAN_MIRROR", "http://chosen.example/debian")
    assert apt.archive(tmp_path) == apt.Archive("http://chosen.example/debian", None)


def test_sources_of_an_image_carry_no_credentials() -> None:
    """What is in the URL for this machine alone does not get into an image."""
    text = apt.Archive("https://user:word@mirror.example/debian", "https://mirror.example/security").sources("trixie")
    assert "word" not in text
    assert [line for line in text.splitlines() if line.startswith(("URIs", "Suites"))] == [
        "URIs: https://mirror.example/debian",
        "Suites: trixie trixie-updates",
        "URIs: https://mirror.example/security",
        "Suites: trixie-security",
    ]


# --- layers ---------------------------------------------------------------------------------------------------------


def members(layer: archive.Layer) -> dict[str, tarfile.TarInfo]:
    """What is in a layer."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer.blob.path.read_bytes()))) as tar:
        return {each.name: each for each in tar.getmembers()}


def test_a_layer_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    """Times after the epoch do not show, order does not matter: the same packages give the same digest."""
    layers = []
    for number, names in enumerate((("a", "b"), ("b", "a"))):
        root = tmp_path / str(number)
        for name in names:
            write(root, name, name)
            os.utime(root / name, (2000 + number, 2000 + number))
        layers.append(archive.layer(root, tmp_path / f"{number}.tar.gz", epoch=1000))
    assert layers[0].blob.digest == layers[1].blob.digest
    assert layers[0].diff_id == layers[1].diff_id
    assert {each.mtime for each in members(layers[0]).values()} == {1000}


def test_a_layer_leaves_out_what_the_machine_left_behind(tmp_path: Path) -> None:
    """Nothing of the build machine's network, proxies, logs or caches gets into an image."""
    root = tmp_path / "root"
    out = (
        "etc/resolv.conf",
        "etc/hostname",
        "etc/apt/apt.conf.d/99slipway-build",
        "etc/apt/slipway-build-ca.crt",
        "etc/apt/auth.conf",
        "etc/apt/auth.conf.d/secret.conf",
        "etc/slipway-build-env",
        "var/lib/apt/lists/some_Release",
        "var/cache/apt/archives/some.deb",
        "var/log/dpkg.log",
        "tmp/x",
        "run/lock/x",
        "usr/lib/m.pyc",
    )
    kept = ("etc/passwd", "etc/apt/sources.list.d/debian.sources", "var/log/nginx/access.log", "run/postgresql/x")
    for name in (*out, *kept):
        write(root, name, "")
    found = members(archive.layer(root, tmp_path / "layer", epoch=0))
    assert not found.keys() & set(out)
    assert {"etc/passwd", "etc/apt/sources.list.d/debian.sources", "var/log/nginx/access.log", "run/postgresql"} <= (
        found.keys()
    )


def test_a_layer_keeps_links_and_modes(tmp_path: Path) -> None:
    """Hard links stay one file, symbolic links are not followed, set-user-id stays."""
    root = tmp_path / "root"
    write(root, "one", "text")
    (root / "two").hardlink_to(root / "one")
    (root / "three").symlink_to("one")
    (root / "one").chmod(0o4755)
    found = members(archive.layer(root, tmp_path / "layer", epoch=0))
    assert found["two"].islnk()
    assert found["three"].issym()
    assert found["one"].mode == 0o4755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_deletion_in_an_overlay_is_a_whiteout(tmp_path: Path) -> None:
    """What overlayfs marks with a device node is marked in the layer as images do it."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    os.mknod(root / "etc" / "gone", 0o020000, 0)
    os.mknod(root / "gone", 0o020000, 0)
    found = members(archive.layer(root, tmp_path / "layer", epoch=0))
    assert set(found) == {"etc", "etc/.wh.gone", ".wh.gone"}
    assert found[".wh.gone"].isreg()


def test_a_manifest_names_what_it_consists_of(tmp_path: Path) -> None:
    """The configuration and every layer are in the manifest with digest and size."""
    root = tmp_path / "root"
    write(root, "a", "a")
    layer = archive.layer(root, tmp_path / "layer", epoch=0)
    config, text = archive.image((layer,), {"Cmd": ["bash"]}, 0, "amd64", tmp_path)
    manifest = json.loads(text)
    assert manifest["config"]["digest"] == config.digest
    assert manifest["layers"] == [
        {
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "digest": layer.blob.digest,
            "size": layer.blob.path.stat().st_size,
        },
    ]
    assert json.loads(config.path.read_text())["rootfs"] == {"type": "layers", "diff_ids": [layer.diff_id]}


# --- the set of images ----------------------------------------------------------------------------------------------


def test_every_image_of_the_default_settings_has_a_stand_in() -> None:
    """Each tag is there once, and each recipe has its file."""
    tags = [tag for image in images.IMAGES for tag in image.tags]
    assert len(tags) == len(set(tags))
    assert {"python:3.11-slim", "python:3.13-slim", "postgres:17", "redis:8.0", "nginx:1.26"} <= set(tags)
    for image in images.IMAGES:
        if image.recipe is not None:
            assert (Path(images.__file__).parent / image.recipe.partition("-")[0] / "recipe.sh").is_file()


def test_no_recipe_names_a_host() -> None:
    """Where packages come from is the machine's own business: no file of ours names a mirror."""
    for path in Path(images.__file__).parent.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text()
            assert "http://" not in text.replace('"http://"', "")
            assert "https://" not in text.replace('"https://"', "")


def test_the_key_changes_with_what_goes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed recipe makes new images."""
    write(tmp_path, "redis/recipe.sh", "one")
    monkeypatch.setattr(images, "_HERE", tmp_path)
    before = images.key()
    write(tmp_path, "redis/recipe.sh", "two")
    assert images.key() != before


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("E: Failed getting release file dists/trixie/Release", "SLIPWAY_DEBIAN_MIRROR"),
        ("tar: write error: No space left on device", "SLIPWAY_CACHE"),
        ("E: Release signed by unknown key (key id 762F67A0B2C39DE4)", "debian-archive-keyring"),
        ("something else\nlast line", "last line"),
    ],
)
def test_a_failure_names_its_cause_and_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, expected: str
) -> None:
    """The usual causes are recognised; what is not is shown with the end of its log, which is kept."""
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    assert expected in str(images._explain("trixie", log, 1))
    assert (tmp_path / "images" / "trixie.log").read_text() == log


def test_a_full_disk_while_packing_is_said_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own error becomes ours, and no half-made record stays."""

    def full(*_: object) -> dict[str, images.Published]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    monkeypatch.setattr(images, "_check_host", lambda _: None)
    monkeypatch.setattr(images, "_build_suites", full)
    with pytest.raises(PipelineError, match="GiB free"):
        images._build(tmp_path / "record.json", lambda _: None)
    assert not list((tmp_path / "images").glob("build-*"))
    assert not (tmp_path / "record.json").exists()


def test_only_root_makes_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is downloaded."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PipelineError, match="by root"):
        images._check_host(lambda _: None)


def test_a_record_counts_only_if_the_registry_has_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that lost an image means that it is made again."""
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"redis:8.0": {"digest": "sha256:1", "id": "sha256:2"}}))
    there: list[str | None] = ["sha256:1"]
    monkeypatch.setattr(registry, "digests", lambda _: there)
    assert images._published(record) == {"redis:8.0": images.Published("sha256:1", "sha256:2")}
    there[0] = None
    assert images._published(record) is None
    record.write_text("{")
    assert images._published(record) is None
