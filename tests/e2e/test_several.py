"""Several projects and environments on one daemon: two projects, three environments each, from two checkouts."""

import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.e2e.site import EXAMPLE, RUN, Done, Site, multipart

pytestmark = [pytest.mark.docker, pytest.mark.long]

PROJECTS = ("shop", "blog")
KINDS = ("dev", "staging", "prod")
Key = tuple[str, str]


@pytest.fixture(scope="module")
def sites(make_site: Callable[..., Site], tmp_path_factory: pytest.TempPathFactory) -> Mapping[Key, Site]:
    """Six stacks: the same names of stacks in both projects, each project with code of its own, all brought up at once."""
    made: dict[Key, Site] = {}
    for project in PROJECTS:
        code = tmp_path_factory.mktemp(project) / "guestbook"
        shutil.copytree(EXAMPLE, code, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        (code / "config/version.py").write_text(f'"""Whose it is."""\n\nVERSION = "{project}"\n')
        for kind in KINDS:
            site = make_site(
                kind,
                code,
                environment=kind,
                app={"name": f"e2e-{RUN}-{project}"},
                domain="localhost",
                data={"protect": False},
                web={"replicas": 1},
            )
            made[project, kind] = site.secrets()
    for each in at_once(made, Site.up).values():
        each.good()
    return made


def at_once(sites: Mapping[Key, Site], do: Callable[[Site], Done]) -> Mapping[Key, Done]:
    """Do something with all of them at the same time."""
    done: dict[Key, Done] = {}

    def one(key: Key) -> None:
        done[key] = do(sites[key])

    threads = [threading.Thread(target=one, args=(key,)) for key in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(done) == set(sites), "one of them raised"
    return done


def things(site: Site, project: str) -> dict[str, set[str]]:
    """What Docker has of one stack of one project, by kind."""
    labels: dict[str, str | list[str] | bool] = {
        "label": [f"slipway.stack={site.stack}", f"slipway.project=e2e-{RUN}-{project}"]
    }
    client = site.daemon
    return {
        "containers": {
            f"{each.id} {each.attrs['State']['StartedAt']}" for each in client.containers.list(all=True, filters=labels)
        },
        "networks": {str(each.id) for each in client.networks.list(filters=labels)},
        "volumes": {str(each.name) for each in client.volumes.list(filters=labels)},
    }


def test_each_serves_its_own_code(sites: Mapping[Key, Site]) -> None:
    """Behind each of the six ports is the project that the stack deploys."""
    assert {key: site.version()["version"] for key, site in sites.items()} == {key: key[0] for key in sites}
    assert len({site.port for site in sites.values()}) == len(sites)


def test_each_has_its_own_rows_and_secrets(sites: Mapping[Key, Site]) -> None:
    """What is written in one is in no other, and no two have a password in common."""
    for (project, kind), site in sites.items():
        cookie, token = site.form()
        body, headers = multipart(
            {"csrfmiddlewaretoken": token, "name": "Ada", "message": f"row of {project} {kind}"}, {}
        )
        assert site.ask("/", "POST", body, {**headers, "Cookie": cookie}).status == 302

    for (project, kind), site in sites.items():
        page = site.ask().text
        seen = {key for key in sites if f"row of {key[0]} {key[1]}" in page}
        assert seen == {(project, kind)}
    passwords = [site.secret(name) for site in sites.values() for name in ("postgres_password", "redis_password")]
    assert len(set(passwords)) == len(passwords)


def test_nothing_belongs_to_two(sites: Mapping[Key, Site]) -> None:
    """No container is on a network, and none mounts a volume, of another stack; images are of one project."""
    owned = {key: things(site, key[0]) for key, site in sites.items()}
    for kind in ("containers", "networks", "volumes"):
        every = [each for found in owned.values() for each in found[kind]]
        assert len(every) == len(set(every))
        assert all(found[kind] for found in owned.values())
    for key, site in sites.items():
        for each in owned[key]["containers"]:
            container = site.daemon.containers.get(each.partition(" ")[0])
            mounted = {mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"}
            ends = container.attrs["NetworkSettings"]["Networks"].items()
            reached = {end["NetworkID"] for name, end in ends if name != "none"}
            assert mounted <= owned[key]["volumes"], container.name
            assert {each for each in reached if each} <= owned[key]["networks"], container.name
            tags = [tag for tag in container.image.tags if tag.startswith("e2e-")] if container.image else []
            assert all(tag.startswith(f"e2e-{RUN}-{key[0]}:") for tag in tags), tags


def test_one_goes_and_the_others_do_not_notice(sites: Mapping[Key, Site]) -> None:
    """Taking one environment away leaves the five others running as they were, also the one that had the same image."""
    gone = sites["shop", "staging"]
    others = {key: site for key, site in sites.items() if site is not gone}
    before = {key: things(site, key[0]) for key, site in others.items()}

    gone.down().good()

    assert not any(things(gone, "shop").values())
    assert {key: things(site, key[0]) for key, site in others.items()} == before
    assert {site.ask().status for site in others.values()} == {200}
    again = gone.up().good()
    assert "Served:" in again.text


def test_names_that_would_meet_are_refused(sites: Mapping[Key, Site], make_site: Callable[..., Site]) -> None:
    """A project and a stack whose names together begin as another's are refused before anything is made."""
    there = sites["shop", "dev"]
    head, _, tail = f"e2e-{RUN}-shop-{there.stack}".partition("-")
    meets = make_site("meets", EXAMPLE, app={"name": head})
    (meets.root / "stacks" / f"Pulumi.{meets.stack}.yaml").rename(meets.root / "stacks" / f"Pulumi.{tail}.yaml")
    meets.pipeline("secrets", "init", tail).good()
    before = things(there, "shop")

    said = meets.pipeline("up", tail).bad().text

    assert (
        f"error: slipway:app.name: the names of {head} in stack {tail} begin with {head}-{tail}, as those of "
        f"e2e-{RUN}-shop in stack {there.stack} on this host do" in said
    )
    assert things(there, "shop") == before


def test_a_backend_of_two_projects_keeps_them_apart(sites: Mapping[Key, Site]) -> None:
    """With the other project's backend, a stack of the same name is refused by `pulumi` itself, and nothing changes."""
    shop, blog = sites["shop", "prod"], sites["blog", "prod"]
    before = things(shop, "shop")

    # The passphrase of the other one is not what stops it: a team has one for both.
    file = Path("stacks") / f"Pulumi.{blog.stack}.yaml"
    salt = next(line for line in (shop.root / file).read_text().splitlines() if line.startswith("encryptionsalt"))
    mixed = blog.folder / "mixed"
    shutil.copytree(blog.root, mixed, symlinks=True)
    text = [line for line in (blog.root / file).read_text().splitlines() if not line.startswith("encryptionsalt")]
    kept = [line for line in text if "secure:" not in line and "secrets:" not in line]
    (mixed / file).write_text("\n".join([*kept, salt, ""]))
    environ = {name: shop.environ[name] for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}
    other = Site(blog.folder, "prod", EXAMPLE, environ={**blog.environ, **environ})
    for name in ("django_key", "postgres_password", "redis_password"):
        other.run(
            "pulumi", "-C", str(mixed), "config", "set", "--secret", f"secrets:{name}", "x" * 40, "--stack", shop.stack
        )

    said = other.run("pulumi", "-C", str(mixed), "preview", "--stack", shop.stack).bad().text

    assert (
        f'found "e2e-{RUN}-blog", but in this backend stack {shop.stack} is of "e2e-{RUN}-shop", with its data' in said
    )
    assert things(shop, "shop") == before
