"""What apt of this machine knows: where Debian's packages come from, and through which proxy and CA.

It owns reading that configuration. No mirror is written down in this project: a machine that can install packages
already says where from, and `SLIPWAY_DEBIAN_MIRROR` says it on one that is no Debian.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pipeline.console import problem

_NAMES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}
_CA_INSIDE = "/etc/apt/slipway-build-ca.crt"
_CA_HERE = Path("/etc/ssl/certs/ca-certificates.crt")
_OPTIONS = re.compile(r"Acquire::(https?::.*|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])(::)? ")


@dataclass(frozen=True)
class Archive:
    """Where the packages come from: the archive itself, and its security updates where the machine has them."""

    main: str
    security: str | None

    def sources(self, suite: str) -> str:
        """The ``debian.sources`` of an image of a suite. Credentials in the URL do not get into images."""
        blocks = [_block(_bare(self.main), f"{suite} {suite}-updates")]
        if self.security is not None:
            blocks.append(_block(_bare(self.security), f"{suite}-security"))
        return "\n".join(blocks)


def archive(directory: Path = Path("/etc/apt")) -> Archive:
    """Read it from the configuration of this machine."""
    main, security = None, os.environ.get("SLIPWAY_DEBIAN_SECURITY_MIRROR")
    chosen = os.environ.get("SLIPWAY_DEBIAN_MIRROR")
    if chosen:
        return Archive(chosen, security)
    for uri, suites, components in _entries(directory):
        if "main" not in components or not uri.startswith(("http://", "https://", "file:")):
            continue
        if main is None and _NAMES & set(suites):
            main = uri
        if security is None and any(suite.removesuffix("-security") in _NAMES - {suite} for suite in suites):
            security = uri if any(suite.endswith("-security") for suite in suites) else None
    if main is None:
        raise problem(
            f"apt's configuration in {directory} names no Debian archive to make images from",
            mend="export SLIPWAY_DEBIAN_MIRROR=<URL of a Debian mirror>",
        )
    return Archive(main, security)


def options() -> str:
    """How packages are fetched here, as an ``apt.conf`` for use inside: proxy, time-outs, CA."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True, timeout=30).stdout
    lines = [line for line in dump.splitlines() if _OPTIONS.match(line) and "::Ca" not in line]
    lines.append('APT::Sandbox::User "root";')
    if ca_bundle() is not None:
        lines.append(f'Acquire::https::CaInfo "{_CA_INSIDE}";')
    return "\n".join([*lines, ""])


def ca_bundle() -> Path | None:
    """The certificates that this machine trusts."""
    configured = subprocess.run(
        ["apt-config", "shell", "found", "Acquire::https::CaInfo"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    match = re.fullmatch(r"found='(.+)'\n", configured)
    bundle = Path(match[1]) if match else _CA_HERE
    return bundle if bundle.is_file() else None


def proxies() -> dict[str, str]:
    """The proxies of apt, as the environment that debootstrap's downloads look at."""
    found = {}
    for scheme in ("http", "https"):
        shell = subprocess.run(
            ["apt-config", "shell", "found", f"Acquire::{scheme}::Proxy"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        match = re.fullmatch(r"found='(.+)'\n", shell)
        if match and match[1] != "DIRECT":
            found[f"{scheme}_proxy"] = match[1]
    return found


def _entries(directory: Path) -> list[tuple[str, list[str], list[str]]]:
    """Every (URI, suites, components) for binary packages, in apt's order."""
    entries: list[tuple[str, list[str], list[str]]] = []
    for path in (directory / "sources.list", *sorted((directory / "sources.list.d").glob("*"))):
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        entries += _one_line(text) if path.suffix == ".list" else _deb822(text)
    return entries


def _one_line(text: str) -> list[tuple[str, list[str], list[str]]]:
    found = re.findall(r"^\s*deb\s+(?:\[[^]]*]\s+)?(\S+)\s+(\S+)([^#\n]*)", text, re.MULTILINE)
    return [(uri, [suite], components.split()) for uri, suite, components in found]


def _deb822(text: str) -> list[tuple[str, list[str], list[str]]]:
    found = []
    for block in re.split(r"\n\s*\n", text):
        fields = {
            key.lower(): value.split()
            for key, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", block, re.MULTILINE)
        }
        if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) != ["no"]:
            found += [(uri, fields.get("suites", []), fields.get("components", [])) for uri in fields.get("uris", [])]
    return found


def _bare(uri: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _block(uri: str, suites: str) -> str:
    return (
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
