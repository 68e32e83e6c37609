"""What NetworkPolicies do on this cluster, shown with traffic: what is not allowed does not get through.

The components' tests trust in this: policies that the API server only stores would pass them all. No stack is made here,
and no policy of one: pods that listen, pods that ask, in two namespaces.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, wait
from tests.e2e.site import RUN

pytestmark = pytest.mark.cluster

IMAGE = "python:3.13-slim"
PORT, OTHER_PORT = 8000, 8001
FRESH = 4
"""How many new pods are watched from their first moment."""
SECONDS = 5.0
"""How long a new pod, or a new policy, may wait for its rules. Measured on the cluster made here: up to 3 s."""

LISTEN = """
import socketserver, threading
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1024)
        self.request.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
for port in (8000, 8001):
    threading.Thread(target=Server(("", port), Answer).serve_forever).start()
"""
"""A server that answers every request on two ports."""

ASK = """
import json, socket, sys
def ask(host, port):
    try:
        with socket.create_connection((host, int(port)), timeout=1.5):
            return "open"
    except TimeoutError:
        return "closed"
    except socket.gaierror:
        return "no name"
    except OSError:
        return "closed"
print(json.dumps([ask(*each.rsplit(":", 1)) for each in sys.argv[1:]]))
"""
"""Try each ``HOST:PORT`` once. Whether a refusal is silence or a rejection is the network's choice."""

FIRST = """
import json, socket, sys, time
begun, tries, first = time.monotonic(), [], None
while time.monotonic() - begun < %f:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.5):
            tries.append([round(time.monotonic() - begun, 3), True])
    except OSError:
        tries.append([round(time.monotonic() - begun, 3), False])
    time.sleep(0.01)
print(json.dumps(tries))
"""
"""From the first moment of a pod on, try again and again, and say what came of each try."""


@dataclass
class Street:
    """Two namespaces with pods in them."""

    cluster: Cluster
    home: str
    abroad: str

    def pod(self, namespace: str, name: str, command: list[str], **spec: Any) -> None:  # noqa: ANN401 - of many types
        """Start a pod that is labelled with its name."""
        container = {"name": "main", "image": IMAGE, "command": command, **spec.pop("container", {})}
        body = {
            "metadata": {"name": name, "labels": {"app": name, **spec.pop("labels", {})}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
        }
        self.cluster.make("pods", namespace, body)

    def address(self, namespace: str, name: str) -> str:
        """Where a pod is."""
        found: str = self.cluster.get("pods", namespace, name)["status"]["podIP"]
        return found

    def ask(self, namespace: str, name: str, *targets: str) -> list[str]:
        """Let a pod try ``HOST:PORT`` each."""
        answers: list[str] = json.loads(self.cluster.execute(namespace, name, ["python", "-c", ASK, *targets]))
        return answers

    def allow(self, name: str, selector: dict[str, str], **rules: list[Any]) -> None:
        """Make a policy for pods at home: ``ingress`` and ``egress`` as given, an empty list for nothing."""
        spec = {
            "podSelector": {"matchLabels": selector} if selector else {},
            "policyTypes": [kind.capitalize() for kind in rules],
            **rules,
        }
        self.cluster.make("networkpolicies", self.home, {"metadata": {"name": name}, "spec": spec})

    def until(self, namespace: str, name: str, target: str, expected: str) -> None:
        """Wait until a pod meets what is expected at a target."""
        wait(f"{name} finds {target} {expected}", lambda: self.ask(namespace, name, target) == [expected], SECONDS * 2)

    def open_again(self) -> None:
        """Take every policy away, and wait until that has arrived."""
        for each in self.cluster.all("networkpolicies", self.home):
            self.cluster.remove("networkpolicies", self.home, each["metadata"]["name"])
        self.until(self.abroad, "foreigner", f"{self.address(self.home, 'server')}:{OTHER_PORT}", "open")


@pytest.fixture(scope="module")
def populated(cluster: Cluster) -> Iterator[Street]:
    """A server, two pods beside it and one in another namespace."""
    street = Street(cluster, f"e2e-{RUN}-network", f"e2e-{RUN}-abroad")
    for namespace in (street.home, street.abroad):
        cluster.make("namespaces", None, {"metadata": {"name": namespace}})
        wait("it has its account", lambda each=namespace: cluster.find("serviceaccounts", each, "default"))  # type: ignore[misc]  # mypy has no type for a lambda with a default
    try:
        probe = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
        street.pod(street.home, "server", ["python", "-c", LISTEN], container={"readinessProbe": probe})
        for namespace, name in ((street.home, "friend"), (street.home, "stranger"), (street.abroad, "foreigner")):
            street.pod(namespace, name, ["sleep", "infinity"])
        port = {"port": 80, "targetPort": PORT}
        service = {"metadata": {"name": "server"}, "spec": {"selector": {"app": "server"}, "ports": [port]}}
        cluster.make("services", street.home, service)
        for namespace, name in (
            *((street.home, each) for each in ("server", "friend", "stranger")),
            (street.abroad, "foreigner"),
        ):
            wait(f"{name} is ready", lambda one=(namespace, name): ready(cluster, *one), 120)  # type: ignore[misc]  # as above
        yield street
    finally:
        for namespace in (street.home, street.abroad):
            cluster.free(namespace)


@pytest.fixture
def street(populated: Street) -> Iterator[Street]:
    """The same, with no policy at the beginning."""
    yield populated
    populated.open_again()


def ready(cluster: Cluster, namespace: str, name: str) -> bool:
    """Whether a pod is ready."""
    conditions = cluster.get("pods", namespace, name)["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def everyone(street: Street, *targets: str) -> dict[str, list[str]]:
    """What each pod that asks meets."""
    asking = ((street.home, "friend"), (street.home, "stranger"), (street.abroad, "foreigner"))
    return {name: street.ask(namespace, name, *targets) for namespace, name in asking}


def test_without_policies_everybody_is_let_in(street: Street) -> None:
    """The tests below can tell: before a policy exists, the same pods reach the server, by address and by name."""
    server = street.address(street.home, "server")

    met = everyone(street, f"{server}:{PORT}", f"server.{street.home}:80")

    assert set(met) == {"friend", "stranger", "foreigner"}
    assert all(each == ["open", "open"] for each in met.values())


def test_a_policy_lets_in_whom_it_names_to_the_port_it_names(street: Street) -> None:
    """One label, one port, directly and through the Service; everybody else and every other port is closed."""
    server = street.address(street.home, "server")
    targets = (f"{server}:{PORT}", f"server.{street.home}:80", f"{server}:{OTHER_PORT}")
    street.allow("nothing", {}, ingress=[])
    street.until(street.home, "friend", targets[0], "closed")

    assert all(each == ["closed"] * 3 for each in everyone(street, *targets).values())

    source = {"podSelector": {"matchLabels": {"app": "friend"}}}
    rule = {"from": [source], "ports": [{"protocol": "TCP", "port": PORT}]}
    street.allow("friends", {"app": "server"}, ingress=[rule])
    street.until(street.home, "friend", targets[0], "open")

    assert everyone(street, *targets) == {
        "friend": ["open", "open", "closed"],
        "stranger": ["closed"] * 3,
        "foreigner": ["closed"] * 3,
    }


def test_a_probe_passes_where_nothing_else_does(street: Street) -> None:
    """The kubelet asks from the node, which no policy shuts out: a guarded pod stays ready."""
    street.allow("nothing", {}, ingress=[], egress=[])
    street.until(street.home, "friend", f"{street.address(street.home, 'server')}:{PORT}", "closed")
    time.sleep(4)  # more probes than may fail

    assert ready(street.cluster, street.home, "server")


def test_the_way_out_is_shut_and_opened_for_names_alone(street: Street) -> None:
    """Without egress there are not even names; with the rule for DNS there are names, and still no connection."""
    target = f"server.{street.home}:80"
    street.allow("nothing", {"app": "friend"}, egress=[])
    street.until(street.home, "friend", target, "no name")

    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    street.allow("names", {"app": "friend"}, egress=[{"to": [system], "ports": ports}])
    street.until(street.home, "friend", target, "closed")

    assert street.ask(street.home, "stranger", target) == ["open"]


def test_the_internet_is_not_the_cluster(street: Street) -> None:
    """Egress to everything except the pods' network reaches a server outside of the cluster, and no pod."""
    server = street.address(street.home, "server")
    pods = ".".join([*server.split(".")[:2], "0.0/16"])
    with outside() as place:
        street.allow("out", {"app": "friend"}, egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [pods]}}]}])
        street.until(street.home, "friend", f"{server}:{PORT}", "closed")

        assert street.ask(street.home, "friend", place, f"{server}:{PORT}") == ["open", "closed"]

        street.open_again()
        street.allow("in", {"app": "friend"}, egress=[{"to": [{"ipBlock": {"cidr": pods}}]}])
        street.until(street.home, "friend", place, "closed")

        assert street.ask(street.home, "friend", place, f"{server}:{PORT}") == ["closed", "open"]


def test_a_new_pod_has_its_rules_within_a_moment(street: Street) -> None:
    """Rules for a pod come after its address. Figures: when it gets through what it may, and until when also what not.

    A guarded server lets in nobody too early: its own rules are there, and a new pod is not in them yet.
    """
    server = street.address(street.home, "server")
    source = {"podSelector": {"matchLabels": {"may": "yes"}}}
    street.allow("nothing", {}, ingress=[], egress=[])
    street.allow("in", {"app": "server"}, ingress=[{"from": [source], "ports": [{"protocol": "TCP", "port": PORT}]}])
    to = {"podSelector": {"matchLabels": {"app": "server"}}}
    street.allow("out", {"may": "yes"}, egress=[{"to": [to], "ports": [{"protocol": "TCP", "port": PORT}]}])
    street.until(street.home, "friend", f"{server}:{PORT}", "closed")
    with outside() as place:
        host, port = place.split(":")
        asked = {"may": (server, str(PORT)), "not": (server, str(PORT)), "leak": (host, port)}
        for number in range(FRESH):
            for kind, target in asked.items():
                labels = {"may": "yes"} if kind == "may" else {}
                command = ["python", "-c", FIRST % SECONDS, *target]
                street.pod(street.home, f"{kind}-{number}", command, labels=labels, restartPolicy="Never")
        tries = {kind: [outcome(street, f"{kind}-{number}") for number in range(FRESH)] for kind in asked}

    through = [next(moment for moment, good in each if good) for each in tries["may"]]
    leaked = [max((moment for moment, good in each if good), default=0.0) for each in tries["leak"]]
    print(
        f"new pods: let through after {min(through) * 1000:.0f} to {max(through) * 1000:.0f} ms,"
        f" {sum(not each[0][1] for each in tries['may'])} of {FRESH} refused at first;"
        f" their own egress is shut after at most {max(leaked) * 1000:.0f} ms"
    )
    assert max(through) < SECONDS
    assert max(leaked) < SECONDS - 1, "the egress of a new pod stays open"
    assert not any(good for each in tries["not"] for _, good in each), (
        "a guarded server let in a new pod that it must not"
    )


def outcome(street: Street, name: str) -> list[tuple[float, bool]]:
    """What a pod that tried from its first moment on has met."""
    wait(f"{name} has ended", lambda: ended(street, name), 120)
    found: list[tuple[float, bool]] = json.loads(street.cluster.log(street.home, name))
    return found


def ended(street: Street, name: str) -> bool:
    """Whether a pod has done what it was for."""
    return bool(street.cluster.get("pods", street.home, name)["status"]["phase"] == "Succeeded")


class outside:  # noqa: N801 - it is used as a function
    """A server on this machine, outside of the cluster, as ``HOST:PORT`` on the address that others see."""

    def __enter__(self) -> str:
        """Start it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.254", 9))  # nothing is sent: the kernel says which address it would use
            host = probe.getsockname()[0]
        self._server = ThreadingHTTPServer((host, 0), BaseHTTPRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return f"{host}:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
