"""Says which pod may open which connection, from the NetworkPolicies that a program registers. Pure.

It does what the API's description of ``networking.k8s.io/v1`` says: policies add up, a pod that no policy of a direction
selects is open in that direction, and a connection needs both ends. It knows labels, ports and addresses; what a
cluster's network really does is another matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a connection."""

    name: str
    address: str
    labels: Mapping[str, str] | None = None
    """The labels of a pod; None for what is outside of the cluster."""
    namespace: Mapping[str, str] | None = None
    """The labels of its namespace; None for the namespace of the policies."""


@dataclass(frozen=True)
class Simulator:
    """The policies of one namespace."""

    policies: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """Their specifications."""

    def allows(self, source: End, to: End, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is possible."""
        return self._side("egress", "to", source, to, port, protocol) and self._side(
            "ingress", "from", to, source, port, protocol
        )

    def _side(self, direction: str, key: str, ours: End, other: End, port: int, protocol: str) -> bool:  # noqa: PLR0913, PLR0917 - what a connection is
        if ours.labels is None or ours.namespace is not None:
            return True  # not in the namespace: these policies say nothing about it
        selecting = [
            each
            for each in self.policies
            if direction.capitalize() in each["policyTypes"] and selects(each["podSelector"], ours.labels)
        ]
        if not selecting:
            return True
        return any(
            self._rule(rule, key, other, port, protocol) for each in selecting for rule in each.get(direction, [])
        )

    @staticmethod
    def _rule(rule: Mapping[str, Any], key: str, other: End, port: int, protocol: str) -> bool:
        ports = rule.get("ports")
        if ports and not any(
            each.get("protocol", "TCP") == protocol and each.get("port", port) == port for each in ports
        ):
            return False
        peers = rule.get(key)
        return not peers or any(peer_matches(each, other) for each in peers)


def peer_matches(peer: Mapping[str, Any], end: End) -> bool:
    """Whether a peer of a rule means an end of a connection."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return _within(end.address, [block["cidr"]]) and not _within(end.address, block.get("except", []))
    if end.labels is None:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], end.namespace or {}):
            return False
    elif end.namespace is not None:
        return False
    return selects(peer.get("podSelector", {}), end.labels)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector takes these labels. An empty one takes all."""
    assert set(selector) <= {"matchLabels"}, f"the simulator does not know {sorted(selector)}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def matrix(simulator: Simulator, ends: Iterable[End], ports: Iterable[int]) -> set[tuple[str, str, int]]:
    """Give every connection that is possible: from whom, to whom, and to which port."""
    everyone, all_ports = list(ends), list(ports)
    return {
        (source.name, to.name, port)
        for source in everyone
        for to in everyone
        for port in all_ports
        if simulator.allows(source, to, port)
    }


def _within(address: str, networks: Iterable[str]) -> bool:
    found = ip_address(address)
    return any(found.version == (block := ip_network(each)).version and found in block for each in networks)
