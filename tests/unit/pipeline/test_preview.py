"""The preview report: recorded previews of both targets give these reports, and nothing secret is ever in one."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from components.tokens import CONTAINER, SIGNATURE
from pipeline.console import Problem
from pipeline.preview import as_json, cost, danger, difference, images, markdown, picture, plan, report, text, words
from pipeline.preview.danger import Danger, Kind
from pipeline.preview.images import Image, Inspected
from pipeline.preview.keyless import Compared
from pipeline.preview.migration import Migration, Migrations
from pipeline.preview.plan import Change, Operation, Plan, State
from pipeline.preview.report import Report
from pipeline.preview.value import Json, Mark, of

PREVIEWS = Path(__file__).parent / "previews"
NAMES = (
    "docker-none",
    "docker-release",
    "docker-dangers",
    "docker-protected",
    "kubernetes-release",
    "kubernetes-protected",
    "kubernetes-scale",
    "kubernetes-secret",
    "kubernetes-dangers",
)
FILES = {"app-secrets": ["database_url", "redis_url", "secret_key"]}
UNREADABLE = (
    "a server of one major version does not read the data of another, so it does not start, and pages that need the "
    "database fail; dump before, and restore into a new volume (docs/data.md)"
)
SECRET: Json = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def recorded(name: str) -> str:
    """The events of a recorded preview."""
    return (PREVIEWS / f"{name}.jsonl").read_text(encoding="utf-8")


def read(name: str) -> Plan:
    """A recorded preview."""
    return plan.read(recorded(name), "prod")


def reported(name: str) -> Report:
    """The report of a recorded preview, without a daemon that knows images."""
    found = read(name)
    blind = name == "kubernetes-release"
    return report.of(
        found,
        secret_files=FILES,
        images=images.compare(images.moved(found), {}, {}),
        problems=(Problem("postgres is protected"),) if not found.finished else (),
        compared=Compared.BLIND if blind else Compared.STATE,
    )


@pytest.mark.parametrize("name", NAMES)
def test_recorded_previews_give_the_expected_reports(name: str) -> None:
    """Word for word, so that a comment changes only where a plan does."""
    expected = PREVIEWS / f"{name}.md"
    said = markdown.text(reported(name))
    if os.environ.get("SLIPWAY_RECORD"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_events_changes_nothing(name: str) -> None:
    """Pulumi plans in parallel: two previews of the same come in another order."""
    lines = recorded(name).splitlines()
    kinds = ("delete-replaced", "create-replacement")
    ordered = [each for each in lines if any(kind in each for kind in kinds)]
    others = [each for each in lines if each not in ordered]
    shuffled = plan.read("\n".join([*reversed(others), *ordered]), "prod")

    assert replace(shuffled, errors=read(name).errors) == read(name)


def test_what_happens_to_a_release_is_told_in_plain_words() -> None:
    """Per component, what visitors see first."""
    said = {each.name: report.part_line(each) for each in reported("docker-release").parts}

    assert said["web"] == (
        "3 containers roll to release ba7c561d5312, replicas 2 to 3, environment CACHE_TTL 60 to 300, gets changed secrets"
    )
    assert said["secrets of app"] == "secret_key changes (values are not shown)"
    assert said["redis"] == (
        "1 container is replaced, the old one first, command --maxmemory 96mb to 72mb, memory 128 to 96 MB"
    )
    assert list(said) == [
        "web",
        "worker",
        "migration",
        "static files",
        "switch",
        "redis",
        "image of the app",
        "secrets of app",
    ]


def dangers(name: str) -> list[tuple[str, str, str]]:
    """What a recorded preview warns of."""
    return [(each.kind.value, each.component, each.text) for each in reported(name).dangers]


def test_a_release_on_docker_is_no_danger_but_for_what_has_a_fixed_name() -> None:
    """Redis has one: the old one goes before the new one is made."""
    assert dangers("docker-none") == []
    assert [each[:2] for each in dangers("docker-release")] == [("downtime", "redis")]


def test_ports_and_major_versions_are_dangers() -> None:
    """A port for every address is open to others; an image of another major version may not read the data."""
    assert dangers("docker-dangers") == [
        ("data", "postgres", f"postgres:17 becomes postgres:16: {UNREADABLE}"),
        (
            "downtime",
            "edge",
            (
                "the old container goes before the new one is made: nobody reaches the site until the new one serves; "
                "open connections break"
            ),
        ),
        ("downtime", "memcached", "it is deleted, and nothing takes its place"),
        ("port", "edge", "port 18498 is opened on every address of the host"),
    ]


def test_protected_data_that_would_go_comes_first() -> None:
    """Pulumi refuses that, and the report says which data it was."""
    assert dangers("docker-protected")[0] == (
        "protected",
        "volume postgres",
        "the volume guestbook-prod-postgres is protected and would be deleted: Pulumi refuses the update as long as it is",
    )


@pytest.mark.parametrize(
    ("retain", "said"),
    [
        (False, "the volume guestbook-prod-postgres is deleted: what it holds goes too"),
        (
            True,
            "the volume guestbook-prod-postgres stays where it is with its data, but no longer belongs to the stack",
        ),
    ],
)
def test_data_that_goes_is_the_first_danger(retain: bool, said: str) -> None:  # noqa: FBT001 - a case of the test
    """Whatever nobody protects."""
    found = read("docker-protected")
    changes = tuple(
        replace(each, before=replace(each.before, protect=False, retain=retain)) if each.before else each
        for each in found.changes
    )

    assert danger.dangers(replace(found, changes=changes))[0] == Danger(
        kind=Kind.DATA, component="volume postgres", text=said
    )


def test_a_cluster_restarts_pods_with_a_volume_and_opens_ports() -> None:
    """A StatefulSet has one pod, which ends before its successor starts; one that does not come back is no mere restart."""
    restarted = "its pod is restarted: pages that need the cache fail until the new one answers"
    assert dangers("kubernetes-release") == [("downtime", "redis", restarted)]
    assert dangers("kubernetes-dangers") == [
        ("data", "postgres", f"postgres:17 becomes postgres:16: {UNREADABLE}"),
        ("data", "volume reports", "the claim volume-reports is deleted: what it holds goes too"),
        ("downtime", "memcached", "it is deleted, and nothing takes its place"),
        ("downtime", "redis", restarted),
        ("port", "edge", "the ingress serves book.localhost"),
    ]
    assert dangers("kubernetes-protected") == [
        (
            "protected",
            "data",
            (
                "the claim media, the claim postgres and the namespace guestbook-prod are protected no more: the update "
                "after this one may delete what is in there"
            ),
        ),
        (
            "protected",
            "volume reports",
            "the claim volume-reports is protected and would be deleted: Pulumi refuses the update as long as it is",
        ),
    ]


def test_more_pods_of_the_same_do_not_roll() -> None:
    """Those that run go on running, and the limits of the namespace follow."""
    said = {each.name: report.part_line(each) for each in reported("kubernetes-scale").parts}
    assert said == {
        "web": "scales from 2 to 3 pods",
        "switch": "runs again for release 576e591586fc",
        "namespace": "limits follow: CPU 6.975 to 8.475 cores, memory 3360 to 4128 MB, pods 21 to 24",
    }
    found = cost.costs(read("kubernetes-scale"))
    assert (found.before.containers, found.after.containers, found.during.containers) == (7, 8, 9)


def test_what_comes_and_goes_on_a_cluster_is_told_as_people_name_it() -> None:
    """No rule of the network, no budget, no Service that only follows; and no identity that a hash makes."""
    said = {each.name: report.part_line(each) for each in reported("kubernetes-dangers").parts}
    assert said["memcached"] == "1 pod is deleted"
    assert said["volume reports"] == "deleted"
    assert said["edge"] == "1 pod rolls, nginx.conf changes in 1 line, Ingress is created"
    assert said["namespace"].startswith("closes migration, web and worker to memcached, limits follow: CPU 6.975 to")
    assert said["web"].endswith("health check localhost to book.localhost, scales by itself, 2 to 4 pods")
    assert cost.costs(read("kubernetes-dangers")).after.containers == 8  # four of them web, at most

    secrets = {each.name: report.part_line(each) for each in reported("kubernetes-secret").parts}
    assert secrets["secrets of app"] == "api_token is new (values are not shown)"
    docker = {each.name: report.part_line(each) for each in reported("docker-protected").parts}
    assert docker["secrets of app"] == "1 goes (values are not shown)"


def test_protection_that_goes_is_a_change_also_where_nothing_else_is() -> None:
    """It is what makes the next update able to delete data."""
    found = read("docker-none")
    loose = tuple(
        replace(each, after=replace(each.after, protect=False)) if each.after else each for each in found.changes
    )
    made = report.of(replace(found, changes=loose), secret_files=FILES)

    assert not made.unchanged
    assert (
        report.headline(made) == "Stack prod: 1 danger; 33 resources are as they should be, but for their protection."
    )
    assert [each.text for each in made.dangers] == [
        (
            "the volume guestbook-prod-media, the volume guestbook-prod-postgres and the volume "
            "guestbook-prod-volume-reports are protected no more: the update after this one may delete what is in there"
        )
    ]


@pytest.mark.parametrize(
    ("size", "kind", "said", "fact"),
    [
        ("4Gi", "protected", "grows from 2 to 4 GB, which cannot be taken back", "grows from 2 to 4 GB"),
        (
            "1Gi",
            "data",
            "is to shrink from 2 to 1 GB, which no storage can: the update fails",
            "shrinks from 2 to 1 GB",
        ),
    ],
)
def test_the_size_of_a_claim_is_told_in_gigabytes(size: str, kind: str, said: str, fact: str) -> None:
    """A larger one is for ever; a smaller one fails."""

    def claim(size: str) -> Json:
        return {"metadata": {"name": "volume-reports"}, "spec": {"resources": {"requests": {"storage": size}}}}

    line = step(
        "kubernetes:core/v1:PersistentVolumeClaim",
        "claim",
        "Storage::volume-reports-storage",
        claim("2Gi"),
        claim(size),
    )
    found = plan.read(line.replace('"inputs"', '"protect": true, "inputs"'), "prod")

    assert [(each.kind.value, each.component, each.text) for each in danger.dangers(found)] == [
        (kind, "volume reports", f"the claim volume-reports {said}")
    ]
    assert [each.facts for each in words.parts(found, {})] == [(fact,)]


def test_policies_that_are_violated_are_told_by_component() -> None:
    """Once for all containers of it; a mandatory one stops the update."""
    web = next(each for each in read("docker-none").changes if each.name.endswith("web-1"))
    event = {
        "policyEvent": {
            "resourceUrn": web.urn,
            "message": "Containers are small.\nmore than 500 MB",
            "policyName": "small",
            "policyPackName": "house",
            "enforcementLevel": "mandatory",
        }
    }
    other = {"policyEvent": {**event["policyEvent"], "resourceUrn": web.urn.replace("web-1", "web-2")}}
    found = plan.read("\n".join([recorded("docker-none"), json.dumps(event), json.dumps(other)]), "prod")

    assert danger.dangers(found) == (
        Danger(
            kind=Kind.POLICY,
            component="web",
            text="house/small (mandatory, stops an update): Containers are small. more than 500 MB",
        ),
    )


def test_migrations_that_drop_data_are_dangers() -> None:
    """Read from their SQL; comments of Django's are none."""
    sql = (
        'BEGIN;\n-- DROP TABLE "x"\nALTER TABLE "shop_order" DROP COLUMN "note" CASCADE;\nDROP TABLE "shop_old" CASCADE;\n'
        'ALTER TABLE "shop_order" ALTER COLUMN "price" DROP DEFAULT;\nDELETE FROM shop_cart;\nCOMMIT;'
    )
    migration = Migration(name="shop.0004_tidy", sql=sql)

    assert migration.destroys == (
        "drops the table shop_old",
        "drops the column note of shop_order",
        "deletes rows of shop_cart",
    )
    assert [each.text for each in danger.dangers(read("docker-none"), [migration])] == [
        "shop.0004_tidy: deletes rows of shop_cart",
        "shop.0004_tidy: drops the column note of shop_order",
        "shop.0004_tidy: drops the table shop_old",
    ]


def test_the_cost_counts_what_runs_and_what_runs_beside_it_meanwhile() -> None:
    """Seven containers; during a release, three old ones beside the new, and three steps."""
    found = cost.costs(read("docker-release"))

    assert (found.before.containers, found.after.containers, found.during.containers) == (7, 8, 14)
    assert (found.before.memory_mb, found.after.memory_mb, found.during.memory_mb) == (1920, 2400, 4640)
    assert (found.after.volumes, found.after.disk_gb) == (6, 0)

    cluster = cost.costs(read("kubernetes-dangers"))
    assert (cluster.before.disk_gb, cluster.after.disk_gb) == (6, 4)


def test_the_picture_shows_networks_and_what_changes() -> None:
    """One area for those on the same networks; a colour for each operation."""
    said = picture.mermaid(read("docker-dangers"))

    assert 'subgraph area1["network guestbook-prod-edge"]\n    edge["edge, 0.0.0.0:18498"]' in said
    assert "class edge,web,process_worker,postgres replaced" in said
    assert "class service_memcached gone" in said
    assert "class postgres,postgres_storage gone" in picture.mermaid(read("docker-protected"))
    assert 'subgraph area1["namespace guestbook-prod"]' in picture.mermaid(read("kubernetes-release"))
    assert picture.mermaid(plan.read("", "prod")) == ""


def test_a_comment_is_cut_to_its_limit_details_first() -> None:
    """It says what is missing and how to see it; the marker, the dangers and what changes are there to the last."""
    made = replace(
        reported("docker-dangers"),
        migrations=Migrations(pending=(Migration(name="shop.0002", sql="SELECT 1;"),), against="guestbook:1"),
    )
    whole = markdown.text(made, 0)
    assert "Left out" not in whole

    cut = markdown.text(made, len(whole) - 1)
    assert len(cut) < len(whole)
    assert "*Left out, since a comment holds no more: the details. All of it:* `python -m pipeline preview prod" in cut

    order = ["the details", "the SQL of the migrations", "the picture", "the cost", "the images", "the migrations"]
    seen = set()
    for limit in range(2000, len(whole), 20):
        small = markdown.text(made, limit)
        assert len(small) <= limit
        assert small.startswith("<!-- slipway-preview: prod -->\n## Preview of prod\n")
        assert "### Dangers" in small
        _, _, rest = small.partition("*Left out, since a comment holds no more: ")
        names = rest.partition(".")[0].split(", ") if rest else []
        assert names == order[: len(names)]
        seen.add(len(names))
    assert seen >= {1, 2, 3, 4, 5, 6}

    least = markdown.text(made, 400)
    assert len(least) <= 400
    assert least.endswith("*The rest is left out, since a comment holds no more.*\n")


def test_nothing_that_a_branch_says_becomes_markup() -> None:
    """Values of settings are written by whoever opens a pull request."""
    part = words.Part(
        name="web",
        component="web",
        kind="Web",
        operation=Operation.UPDATE,
        facts=("environment X </details> to @team [x](http://evil.example) `a` <!-- slipway-preview: prod -->",),
    )
    made = Report(stack="prod", parts=(part,), details=("```", "</details>"))

    said = markdown.text(made)

    assert (
        "- **web**: environment X \\</details\\> to @&#8203;team `[x](http://evil.example)` \\`a\\` "
        "\\<!-- slipway-preview: prod --\\>" in said
    )
    assert "````text\n```\n</details>\n````" in said
    assert said.count("<!-- slipway-preview: prod -->") == 1


def test_a_failed_preview_has_a_report() -> None:
    """With the reason, and what had been planned until then."""
    made = reported("docker-protected")
    assert made.failed
    said = markdown.text(made)
    assert "**The preview of stack prod failed.**" in said
    assert "What follows is what Pulumi had planned before it failed." in said
    assert "### Why\n\n```text\npostgres is protected\n```" in said

    alone = Report(stack="prod", problems=(Problem("no", "yes", "so"),))
    assert text.text(alone) == "The preview of stack prod failed.\n\nerror: no\n  allowed: yes\n  mend:    so\n"
    assert as_json.shape(alone)["outcome"] == "failed"
    assert as_json.shape(alone)["problems"] == [{"found": "no", "allowed": "yes", "mend": "so"}]


def test_plain_text_says_the_same() -> None:
    """For a terminal and the log of a job."""
    said = text.text(reported("kubernetes-release"))

    assert said.startswith(
        "Stack prod: 1 danger; 9 of 67 resources change (6 updated, 3 replaced); release 576e591586fc to ba7c561d5312.\n"
        "Made without the keys of the stack: its secrets are placeholders here."
    )
    assert "\nDangers\n  Downtime, redis: its pod is restarted" in said
    assert "\n  web: 3 pods roll to release ba7c561d5312, replicas 2 to 3, environment CACHE_TTL 60 to 300\n" in said
    assert "\n  containers, at most: 7 now; 8 then; 14 during the update\n" in said
    assert "\nMigrations\n  not looked at: python -m pipeline preview prod --build\n" in said

    unknown = text.text(Report(stack="prod", migrations=Migrations(unknown="it is not here")))
    assert "\nMigrations\n  not known: it is not here\n" in unknown
    none = text.text(Report(stack="prod", migrations=Migrations(against="the release that runs now")))
    assert "\n  none: the release that runs now has all of them\n" in none
    some = Migrations(against="shop:1", pending=(Migration(name="shop.0002", sql="SELECT 1;\n"),))
    assert "  against shop:1:\n  shop.0002\n      SELECT 1;\n" in text.text(Report(stack="prod", migrations=some))


def test_json_has_a_version_and_a_documented_shape() -> None:
    """Every field that docs/preview.md names, in every report."""
    fields = [
        "version",
        "stack",
        "marker",
        "target",
        "outcome",
        "summary",
        "notes",
        "compared_with",
        "problems",
        "release",
        "counts",
        "dangers",
        "components",
        "migrations",
        "images",
        "cost",
        "picture",
    ]
    for made in (reported("docker-release"), reported("kubernetes-release"), Report(stack="prod")):
        assert list(json.loads(as_json.text(made))) == fields
    shape = as_json.shape(reported("docker-release"))
    assert shape["version"] == 1
    assert shape["outcome"] == "changes"
    assert shape["release"] == {"before": "576e591586fc", "after": "ba7c561d5312"}
    assert shape["counts"] == {"create": 1, "update": 1, "replace": 11, "delete": 0, "same": 21}
    assert as_json.shape(reported("docker-none"))["outcome"] == "unchanged"
    page = (PREVIEWS.parents[3] / "docs" / "preview.md").read_text(encoding="utf-8")
    assert [field for field in fields if f"`{field}`" not in page] == []


def test_images_are_compared_by_size_and_layers() -> None:
    """Where the daemon has both; else it says what is not known."""
    moved = images.moved(read("docker-dangers"))
    assert [(each.component, each.before, each.after) for each in moved] == [
        ("app", "guestbook:576e591586fc", "guestbook:cc80029c9c55"),
        ("memcached", "memcached:1.6", ""),
        ("postgres", "postgres:17", "postgres:16"),
    ]
    known = {
        "guestbook:576e591586fc": Inspected(size=150_000_000, layers=("a", "b", "c")),
        "guestbook-check:cc80029c9c55": Inspected(size=151_500_000, layers=("a", "b", "d")),
        "postgres:16": Inspected(size=90_000_000, layers=("x",)),
    }
    built = {"guestbook:cc80029c9c55": "guestbook-check:cc80029c9c55"}
    said = [images.words(each) for each in images.compare(moved, known, built)]
    assert said == ["150.0 MB to 151.5 MB, 1 of 3 layers new", "used no more", "90.0 MB"]
    assert images.words(Image(component="x", before="x:1", after="x:2")) == "not known on this machine"
    assert images.words(Image(component="app", before="x:1", after="x:2")) == "not built yet: see --build"


def test_values_lose_what_is_secret_when_they_are_read() -> None:
    """Also in a list of an object, and whether Pulumi has blinded it or not."""
    assert of({"a": [SECRET, "[secret]", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", 1]}) == {
        "a": [Mark.SECRET, Mark.SECRET, Mark.UNKNOWN, 1]
    }


def test_what_is_no_event_is_passed_over() -> None:
    """A warning of Pulumi's among the events, or half a line."""
    assert plan.read('warning: x\n{"half\n[]\n', "prod") == Plan(stack="prod", changes=(), finished=False)


def test_an_address_is_told_by_what_differs() -> None:
    """Long values are not written twice."""
    assert difference.pair("60", "300") == "60 to 300"
    assert difference.pair(Mark.UNKNOWN, True) == "(known once it is done) to yes"
    assert difference.pair("hello", "good day") == 'hello to "good day"'
    long = "a.example.org,b.example.org,c.example.org,d.example.org,e.example.org"
    assert difference.pair(long, long.replace("c.", "x.")) == "loses c.example.org and gains x.example.org"
    assert difference.pair("one\ntwo\n", "one\nthree\n") == "changes in 1 line"


def container(**labels: str) -> State:
    """A container with labels and an environment."""
    return State(inputs={"labels": [{"label": f"slipway.{name}", "value": each} for name, each in labels.items()]})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"release": "1", "declared": "a"}, {"release": "2", "declared": "b"}, []),
        (
            {"release": "1", "declared": "a", "team": "x"},
            {"release": "1", "declared": "b", "team": "y"},
            ["label slipway.team x to y"],
        ),
        ({"release": "1"}, {"release": "1", "declared": "b"}, ["label slipway.declared is new: b"]),
    ],
)
def test_the_hash_of_a_declaration_is_told_where_nothing_else_is(
    old: dict[str, str], new: dict[str, str], told: list[str]
) -> None:
    """It changes with whatever changes, and says nothing to a reader; alone it is the reason."""
    change = Change(
        urn="web-1",
        name="web-1",
        type=CONTAINER,
        component="web",
        kind="Web",
        operation=Operation.REPLACE,
        before=container(**old),
        after=container(**new),
    )
    (part,) = words.parts(Plan(stack="prod", changes=(change,), finished=True), {})
    assert list(part.facts[1:]) == told


def test_the_page_shows_what_a_preview_says() -> None:
    """The example of docs/preview.md is one of the reports here."""
    page = (PREVIEWS.parents[3] / "docs" / "preview.md").read_text(encoding="utf-8")
    said = markdown.text(reported("docker-dangers"))
    told, _, rest = said.partition("\n### Picture\n")

    assert told in page
    assert rest.partition("\n\nGrey stays")[0].strip() in page


def step(kind: str, name: str, owner: str, old: Json, new: Json) -> str:
    """An event about an object of a cluster."""
    start = "urn:pulumi:prod::slipway::"
    parent = f"{start}slipway:kubernetes:{owner}"
    urn = f"{start}slipway:kubernetes:{owner.partition('::')[0]}${kind}::{name}"
    states = {key: {"parent": parent, "inputs": each} for key, each in (("old", old), ("new", new)) if each}
    return json.dumps(
        {"resourcePreEvent": {"metadata": {"op": "update" if old else "create", "urn": urn, "type": kind, **states}}}
    )


def test_what_runs_by_the_clock_and_managed_databases_are_read_too() -> None:
    """A CronJob is a process; a database of CloudNativePG is one of several instances, with disks of its own."""

    def clock(schedule: str) -> Json:
        container: Json = {"args": ["tidy"], "resources": {"limits": {"memory": "128Mi", "cpu": "250m"}}}
        return {
            "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}}}
        }

    def managed(instances: int, image: str) -> Json:
        limits: Json = {"limits": {"memory": "1Gi", "cpu": "1"}}
        return {"spec": {"instances": instances, "imageName": image, "resources": limits, "storage": {"size": "10Gi"}}}

    lines = [
        step("kubernetes:batch/v1:CronJob", "tidy", "Process::process-tidy", clock("@daily"), clock("@hourly")),
        step(
            "kubernetes:postgresql.cnpg.io/v1:Cluster",
            "postgres",
            "ManagedPostgres::postgres",
            managed(1, "cnpg/postgresql:16"),
            managed(3, "cnpg/postgresql:17"),
        ),
        step(
            "kubernetes:core/v1:Service",
            "edge",
            "Edge::edge",
            None,
            {"spec": {"type": "NodePort", "ports": [{"port": 80}]}},
        ),
        step("kubernetes:x/v1:HTTPRoute", "route", "Edge::edge", None, {"spec": {"hostnames": ["x.org"]}}),
        step(
            "kubernetes:networking.k8s.io/v1:Ingress",
            "in",
            "Edge::edge",
            None,
            {"spec": {"rules": [{"host": "y.org"}]}},
        ),
    ]
    found = plan.read("\n".join(lines), "prod")

    assert {each.name: each.facts for each in words.parts(found, {})} == {
        "tidy": ("1 pod changes", "schedule @daily to @hourly"),
        "edge": ("Service edge is created", "Ingress in is created", "HTTPRoute is created"),
        "postgres": (
            "3 pods change",
            "replicas 1 to 3",
            "image cnpg/postgresql:16 to cnpg/postgresql:17",
        ),
    }
    assert cost.costs(found).after.disk_gb == 30
    assert [(each.kind.value, each.component) for each in danger.dangers(found)] == [
        ("port", "edge"),
        ("port", "edge"),
        ("port", "edge"),
        ("version", "postgres"),
    ]
    assert "postgres x 3" in picture.mermaid(found)
