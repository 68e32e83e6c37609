"""Addresses of git repositories, what they list, and what git says when it fails."""

import pytest

from components import source
from components.source import Failure


@pytest.mark.parametrize(
    ("text", "remote", "password", "host", "name"),
    [
        ("../shop", False, False, None, "shop"),
        ("/srv/shop@2", False, False, None, "shop@2"),
        ("https://git.example.org/team/shop.git", True, False, "git.example.org", "shop"),
        ("https://git.example.org:8443/shop/", True, False, "git.example.org", "shop"),
        ("https://robot:token@git.example.org/shop", True, True, "git.example.org", "shop"),
        ("https://token@git.example.org/shop", True, True, "git.example.org", "shop"),
        ("ssh://git@git.example.org:2222/shop.git", True, False, "git.example.org", "shop"),
        ("ssh://git:token@git.example.org/shop.git", True, True, "git.example.org", "shop"),
        ("git@git.example.org:team/shop.git", True, False, "git.example.org", "shop"),
        ("file:///srv/git/shop.git", True, False, None, "shop"),
        ("ext::sh -c touch% /tmp/x", False, False, None, "x"),
        ("-oProxyCommand=x@y:z", False, False, None, "-oProxyCommand=x@y:z"),
    ],
)
def test_addresses(text: str, remote: bool, password: bool, host: str | None, name: str) -> None:  # noqa: FBT001  # columns
    """What git is asked for is an address that names its transport, or the short form of ssh; all else is a folder."""
    assert (source.is_remote(text), source.has_password(text)) == (remote, password)
    assert source.host(text) == host or not remote
    assert source.name(text) == name


def test_the_folder_of_a_repository() -> None:
    """It can be read, and two repositories do not share one."""
    one, two = "https://a.example.org/My_Shop.git", "https://b.example.org/My_Shop.git"
    assert source.folder(one).startswith("my-shop-")
    assert len({source.folder(one), source.folder(two), source.folder("file:///")}) == 3
    assert source.folder("file:///").startswith("repository-")


A, B, C = "a" * 40, "b" * 40, "c" * 40
LISTED = (
    f"{A}\tHEAD\n{A}\trefs/heads/main\n{B}\trefs/heads/feature/x\n"
    f"{C}\trefs/tags/v1.0\n{B}\trefs/tags/v1.0^{{}}\n{C}\trefs/heads/v1.0\n{C}\trefs/pull/5/head\n"
)


@pytest.mark.parametrize(
    ("ref", "commit"),
    [
        (None, A),
        ("main", A),
        ("feature/x", B),
        ("v1.0", B),
        ("refs/pull/5/head", C),
        ("aaaaaaa", A),
        ("aaaaaa", None),
        ("mian", None),
        ("ddddddd", None),
    ],
)
def test_names_of_commits(ref: str | None, commit: str | None) -> None:
    """A tag comes before a branch and means its commit; the beginning of a hash means the commit of a branch or tag."""
    assert source.pick(source.listed(LISTED), ref) == commit


def test_names_that_were_meant() -> None:
    """The nearest come first, and others are listed after them."""
    assert source.near(source.listed(LISTED), "mian") == ["main", "feature/x", "v1.0"]
    assert source.pick({}, None) is None


def test_hashes() -> None:
    """A commit is named for good by all its digits alone."""
    assert [source.is_commit(ref) for ref in (A, "a" * 64, "a" * 39, "main", "A" * 40)] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("said", "why", "words"),
    [
        (
            "Cloning\nfatal: could not read Username for 'https://x': terminal prompts disabled\n",
            Failure.ACCESS,
            "could not read Username for 'https://x': terminal prompts disabled",
        ),
        (
            "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure\n",
            Failure.ACCESS,
            "git@x: Permission denied (publickey).",
        ),
        (
            "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.\n",
            Failure.ACCESS,
            "'/x' does not appear to be a git repository",
        ),
        ("fatal: Could not read from remote repository.", Failure.NETWORK, "Could not read from remote repository."),
        (
            "fatal: remote error: upload-pack: not our ref abc",
            Failure.UNKNOWN,
            "remote error: upload-pack: not our ref abc",
        ),
        (
            "fatal: unable to access 'x': Could not resolve host: x",
            Failure.NETWORK,
            "unable to access 'x': Could not resolve host: x",
        ),
        ("something", Failure.NETWORK, "something"),
        ("", Failure.NETWORK, "it said nothing"),
    ],
)
def test_what_git_says(said: str, why: Failure, words: str) -> None:
    """The reason decides what happens, its line is for people."""
    assert (source.failure(said), source.words(said)) == (why, words)


def test_credentials() -> None:
    """Those of the host alone are used, whatever other words look like."""
    netrc = (
        "machine a.example.org login one password machine\n"
        "machine b.example.org\n  login two\n  account x\n  password login\n"
        "machine c.example.org password only\nmachine d.example.org login none\ndefault login x password y\n"
    )
    assert [source.login(netrc, f"{host}.example.org") for host in "abcde"] == [
        "Authorization: Basic b25lOm1hY2hpbmU=",
        "Authorization: Basic dHdvOmxvZ2lu",
        "Authorization: Basic Om9ubHk=",
        None,
        None,
    ]
    assert source.login("machine", "a") is None
