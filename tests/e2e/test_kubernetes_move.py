"""A stack moves from Docker to Kubernetes with its data: `data dump` here, `data restore` there."""

from collections.abc import Callable

import pytest

from tests.e2e.cluster_site import ClusterSite
from tests.e2e.site import PNG, Site, multipart

pytestmark = [pytest.mark.cluster, pytest.mark.docker]

EVERY_ROW = "select id, name, message, picture, created from guestbook_entry order by id"
MANY = (
    "insert into guestbook_entry (name, message, picture, created)"
    " select 'many', 'row ' || n, '', now() from generate_series(1, 1000) n"
)


def write(site: Site, name: str) -> None:
    """Leave an entry with a picture, as a visitor does."""
    cookie, token = site.form()
    body, headers = multipart(
        {"csrfmiddlewaretoken": token, "name": name, "message": f"from {name}"},
        {"picture": ("dot.png", "image/png", PNG)},
    )
    sent = site.ask("/", "POST", body, {**headers, "Cookie": cookie})
    assert sent.status == 302, sent.text[:2000]


def picture(site: Site, name: str) -> bytes:
    """The picture of an entry, as nginx serves it."""
    [path] = site.sql(f"select picture from guestbook_entry where name = '{name}'")  # noqa: S608 - a name of this file
    return site.ask(f"/media/{path}").body


@pytest.fixture(scope="module")
def docker(make_site: Callable[..., Site]) -> Site:
    """A stack on Docker with many rows and a picture."""
    docker = make_site("moving").secrets()
    docker.up().good()
    write(docker, "Ada")
    docker.sql(MANY)
    return docker


def test_rows_and_uploads_are_the_same_afterwards(docker: Site, make_cluster_site: Callable[..., ClusterSite]) -> None:
    """Every row is equal, the upload is served byte for byte, and the next row gets the next number."""
    cluster = make_cluster_site("moved").secrets()
    file = docker.folder / "data.tar"
    docker.pipeline("data", "dump", docker.stack, "--to", str(file)).good()
    cluster.up().good()

    cluster.pipeline("data", "restore", cluster.stack, "--from", str(file)).good()

    rows = docker.sql(EVERY_ROW)
    assert len(rows) == 1001
    assert cluster.sql(EVERY_ROW) == rows
    assert picture(cluster, "Ada") == PNG
    write(cluster, "Grace")
    assert cluster.sql("select name, id from guestbook_entry order by id desc limit 1") == ["Grace|1002"]
    assert picture(cluster, "Grace") == PNG


def test_a_stack_does_not_turn_to_another_target(docker: Site) -> None:
    """Pulumi would delete everything on the first one, with its data: it is refused, and nothing changes."""
    running = docker.running()
    docker.set(target="kubernetes", kubernetes={"namespace": docker.stack})
    path = docker.root / "stacks" / f"Pulumi.{docker.stack}.yaml"
    path.write_text(path.read_text().replace(f"port: {docker.port}\n", "max_body_mb: 25\n"))

    said = docker.up().bad().text

    assert f'slipway:target: found "kubernetes", but stack {docker.stack} runs on docker with its data' in said
    assert docker.running() == running
    docker.set()
