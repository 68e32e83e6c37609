"""Who can reach whom in a namespace, worked out from the policies that are registered. No network enforces anything here."""

from typing import Any

import pytest

from components import args, budget, flows
from components.kubernetes.namespace import Namespace
from components.kubernetes.policies import policies
from components.labels import Owner
from components.model import Settings
from tests.sample import settings
from tests.unit.harness import Registered, run
from tests.unit.policies import End, Simulator, matrix

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLES = ["edge", "web", "process-worker", "migration", "static", "switch", "postgres", "redis"]
OTHERS = [
    End(name="internet", address="93.184.216.34"),
    End(name="internet-6", address="2606:2800:220:1::1"),
    End(name="metadata", address="169.254.169.254"),
    End(name="metadata-6", address="fd00:ec2::254"),
    End(
        name="stranger",
        address="10.244.9.9",
        labels={"app": "other"},
        namespace={"kubernetes.io/metadata.name": "other"},
    ),
    End(
        name="dns",
        address="10.244.8.8",
        labels={"k8s-app": "kube-dns"},
        namespace={"kubernetes.io/metadata.name": "kube-system"},
    ),
    End(name="unlabelled", address="10.244.7.7", labels={}),
]
PORTS = [53, 80, 443, 5432, 6379, 8000, 8080, 8081]


def ends() -> list[End]:
    """Give every pod of a stack, and what is around them."""
    return [
        *(
            End(name=role, address=f"10.244.0.{number}", labels={"slipway.component": role})
            for number, role in enumerate(ROLES, 1)
        ),
        *OTHERS,
    ]


def registered(said: Settings) -> list[Registered]:
    """Register the namespace of some settings, and give its policies."""
    made = args.NetworksArgs(
        owner=Owner(project="shop", stack="test"),
        flows=flows.flows(said),
        budget=budget.budget(said),
        place=args.Place(context=None, namespace="shop-test"),
        protect=False,
    )
    return run(lambda: Namespace("networks", made).internal).of(POLICY)


def reach(said: dict[str, Any] | None = None) -> set[tuple[str, str, int]]:
    """Give every connection that is possible and begins or ends at a pod of the stack."""
    simulator = Simulator([each.spec for each in registered(settings(said))])
    found = matrix(simulator, ends(), PORTS)
    return {(source, to, port) for source, to, port in found if {source, to} & {*ROLES, "unlabelled"}}


WORKER = {"processes": {"worker": {"command": "python manage.py worker"}}}
CLIENTS = ["web", "process-worker", "migration"]
OUT = {
    (role, to, port)
    for role in ["web", "process-worker"]
    for to in ["internet", "internet-6", "stranger", "dns"]
    for port in PORTS
}
NAMES = {(role, to, 53) for role in [*ROLES, "unlabelled"] for to in ["dns", "stranger", "metadata"]}
VISITORS = {(end.name, "edge", 8080) for end in OTHERS if end.name != "unlabelled"}
INSIDE = {
    ("edge", "web", 8000),
    ("switch", "web", 8000),
    ("switch", "edge", 8080),
    ("switch", "edge", 8081),
    # Whoever may go anywhere may come as a visitor.
    ("web", "edge", 8080),
    ("process-worker", "edge", 8080),
}


def test_exactly_what_is_needed() -> None:
    """Visitors reach the edge, the edge the web processes, the app its datastores, and the app's own the internet."""
    datastores = {(role, to, port) for role in CLIENTS for to, port in (("postgres", 5432), ("redis", 6379))}

    assert reach(WORKER) == INSIDE | datastores | OUT | NAMES | VISITORS


def test_without_other_processes() -> None:
    """A process that settings do not name reaches nothing but names."""
    assert {each for each in reach() if each[0] == "process-worker"} == {
        each for each in NAMES if each[0] == "process-worker"
    }


def test_datastores_of_somebody_else() -> None:
    """The migration may leave the cluster as soon as a datastore is outside, and nothing reaches what is not there."""
    found = reach(
        {"target": "kubernetes", "kubernetes": {"registry": "r.example.org"}, "postgres": {"provider": "external"}}
    )

    assert ("migration", "internet", 5432) in found
    assert not {each for each in found if each[1] == "postgres"}
    assert ("web", "redis", 6379) in found


def test_the_operator_of_the_database_reaches_it() -> None:
    """CloudNativePG asks each instance how it is, and the instances talk to one another."""
    found = reach(
        {
            "target": "kubernetes",
            "kubernetes": {"registry": "r.example.org"},
            "postgres": {"provider": "cloudnative-pg"},
        }
    )

    assert {("stranger", "postgres", 8000), ("postgres", "postgres", 5432), ("web", "postgres", 5432)} <= found
    assert ("stranger", "postgres", 5432) not in found


@pytest.mark.parametrize("role", ["web", "process-worker"])
def test_nobody_reaches_the_credentials_of_a_machine(role: str) -> None:
    """Who may go anywhere may not go to where a cloud tells a machine its own credentials."""
    found = reach(WORKER)

    assert not {each for each in found if each[0] == role and each[1] == "metadata" and each[2] != 53}
    assert not {each for each in found if each[0] == role and each[1] == "metadata-6"}


def test_everything_is_denied_first() -> None:
    """One policy selects every pod for both directions and allows nothing."""
    (deny,) = [each for each in registered(settings()) if each.metadata["name"] == "deny-everything"]

    assert deny.spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_policy_for_each_side_of_each_relation() -> None:
    """Each relation has a policy for each end that is ours, with the label of the component that it is about."""
    relations = flows.flows(settings())
    made = policies(relations)
    ours = sum((each.source != flows.ANYWHERE) + (each.to != flows.INTERNET) for each in relations)

    assert len(made) == len({each.name for each in made}) == 2 + ours
    assert {each.component for each in made} == {"namespace", "edge", "web", "migration", "switch", "postgres", "redis"}


def test_the_simulator_knows_no_policies() -> None:
    """Without a policy, everything is open: the simulator does not deny by itself."""
    pods = ends()

    assert len(matrix(Simulator(), pods, [80])) == len(pods) ** 2


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({}, True),
        ({"ports": [{"port": 80}]}, True),
        ({"ports": [{"port": 81}]}, False),
        ({"ports": [{"port": 80, "protocol": "UDP"}]}, False),
        ({"to": [{"podSelector": {"matchLabels": {"a": "b"}}}]}, True),
        ({"to": [{"podSelector": {"matchLabels": {"a": "c"}}}]}, False),
        ({"to": [{"namespaceSelector": {}}]}, True),
        ({"to": [{"namespaceSelector": {"matchLabels": {"x": "y"}}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, True),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "::/0"}}]}, False),
    ],
)
def test_the_simulator(rule: dict[str, Any], allowed: bool) -> None:  # noqa: FBT001 - a table
    """Each part of a rule says what the API's description says."""
    policy = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}
    one = End(name="one", address="10.1.0.1", labels={"a": "b"})

    assert Simulator([policy]).allows(one, one, 80) is allowed
