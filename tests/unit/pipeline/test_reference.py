"""An image's reference is taken apart as Docker does it."""

import pytest

from pipeline import reference


@pytest.mark.parametrize(
    ("image", "plain", "repository", "major"),
    [
        ("postgres:17.2-bookworm@sha256:1", "postgres:17.2-bookworm", "postgres", "17"),
        ("registry.example.org:5000/team/postgres:16", "registry.example.org:5000/team/postgres:16", "postgres", "16"),
        ("registry.example.org:5000/postgres", "registry.example.org:5000/postgres", "postgres", ""),
        ("traefik:v3.6", "traefik:v3.6", "traefik", "3"),
        ("postgres:latest", "postgres:latest", "postgres", ""),
    ],
)
def test_the_parts(image: str, plain: str, repository: str, major: str) -> None:
    """The port of a registry is no version, and a tag need not begin with one."""
    assert (reference.without_digest(image), reference.repository(image), reference.major(image)) == (
        plain,
        repository,
        major,
    )
