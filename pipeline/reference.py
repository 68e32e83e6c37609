"""The parts of an image's reference, such as ``registry.example.org:5000/team/postgres:17.2@sha256:...``. Pure."""

import re


def without_digest(image: str) -> str:
    """Leave out the digest: the tag says enough to people."""
    return image.partition("@")[0]


def repository(image: str) -> str:
    """Give the last part of the name: ``postgres``."""
    return _last(image)[0]


def major(image: str) -> str:
    """Give the number of the major version that the tag begins with: ``17``; nothing where it begins with none."""
    found = re.match(r"v?(\d+)", _last(image)[1])
    return found[1] if found else ""


def _last(image: str) -> tuple[str, str]:
    """Give the last part of the name, and the tag. A registry's port is in neither."""
    name, _, tag = without_digest(image).rpartition("/")[2].partition(":")
    return name, tag
