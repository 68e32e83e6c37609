"""What becomes of data on the cluster: a stack that goes, one whose data is kept, one whose state is lost, one that moves."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import wait
from tests.e2e.cluster_site import ClusterSite

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def site(make_cluster_site: Callable[..., ClusterSite]) -> ClusterSite:
    """A stack whose data is protected, that is up and has a row."""
    site = make_cluster_site("data", data={"protect": True}).secrets()
    site.up().good()
    site.sql("insert into guestbook_entry (name, message, picture, created) values ('Ada', 'row-4711', '', now())")
    return site


@pytest.fixture(autouse=True)
def logs(site: ClusterSite, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the pods logged when a test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        site.print_logs()


def claims(site: ClusterSite) -> dict[str, str]:
    """The claims of the stack, and the volume that each has."""
    found = site.cluster.all("persistentvolumeclaims", site.namespace)
    return {each["metadata"]["name"]: each["spec"]["volumeName"] for each in found}


def kept_row(site: ClusterSite) -> bool:
    """Whether the row is there, in the database and on the page."""
    in_database = site.sql("select name from guestbook_entry where message = 'row-4711'") == ["Ada"]
    return in_database and "row-4711" in site.ask().text


def test_protected_data_is_not_destroyed(site: ClusterSite) -> None:
    """`down` refuses, names what is protected, and changes nothing."""
    pods = site.running()

    with site.nothing_changes():
        said = site.down().bad().text

    assert "holds protected data" in said
    assert "postgres" in said
    assert "--keep-data" in said
    assert site.running() == pods


def test_kept_data_outlives_the_stack_and_is_found_again(site: ClusterSite) -> None:
    """Nothing that runs is left, the claims are, with the same volumes, and the next `up` goes on with them."""
    before = claims(site)

    site.down("--keep-data").good()

    assert site.pods() == []
    left = {name.partition("/")[0] for name in site.cluster.everything(site.namespace)}
    rules = {"networkpolicies", "limitranges", "resourcequotas", "serviceaccounts"}
    assert left - rules == {"persistentvolumeclaims"}
    kept = claims(site)
    assert {"postgres", "media"} <= set(kept)
    assert kept.items() <= before.items()

    site.up().good()

    assert {name: claims(site)[name] for name in kept} == kept
    assert kept_row(site)


def test_a_stack_whose_state_is_lost_finds_its_data_again(site: ClusterSite) -> None:
    """With the backend gone, `up` touches nothing that runs; what it says is enough to get the same claims back."""
    before = claims(site)
    site.run("pulumi", "stack", "rm", site.stack, "--force", "--yes", "--preserve-config").good()
    assert site.state_of() == ""

    said = site.up().bad().text

    assert f"slipway:app.name: e2e-{site.stack} runs on this cluster already" in said
    assert kept_row(site)
    mend = said.strip().splitlines()[-1].strip()
    assert mend.startswith("kubectl ")
    site.run("sh", "-c", mend).good()

    site.up().good()

    assert claims(site) == before
    assert kept_row(site)
    assert len(site.serving()) == 1


def test_down_leaves_nothing(site: ClusterSite) -> None:
    """With the protection taken off: no namespace, no volume, no state; the stack's file stays; twice is once."""
    site.set(data={"protect": False})
    site.up().good()

    said = site.down().good().text

    assert "Gone:" in said
    assert not site.cluster.find("namespaces", None, site.namespace)
    wait("the volumes are gone", lambda: not site.things(), 60)
    assert not list((site.state / ".pulumi/stacks").rglob("*.json"))
    assert (site.root / "stacks" / f"Pulumi.{site.stack}.yaml").exists()
    assert "nothing to do" in site.down().good().text
