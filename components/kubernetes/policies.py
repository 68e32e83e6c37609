"""Who may talk to whom: everything is denied, and each relation of ``components/flows.py`` is allowed on both sides. Pure.

A NetworkPolicy works where the cluster's network enforces it, and does nothing at all elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_kubernetes import meta, networking

from components.flows import ANY_PORT, ANYWHERE, INTERNET, Flow
from components.labels import COMPONENT

LINK_LOCAL = "169.254.0.0/16"
"""Where clouds tell a machine its own credentials, and where some clusters have their DNS."""

EVERYTHING = "namespace"
"""The component of policies that are about every pod."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One NetworkPolicy."""

    name: str
    """Its name in the namespace."""
    component: str
    """Whose pods it is about."""
    spec: networking.v1.NetworkPolicySpecArgs
    """What it allows."""


def policies(flows: Sequence[Flow]) -> list[Policy]:
    """Give every policy of a namespace."""
    return [_deny_everything(), _names(), *(policy for flow in flows for policy in _allow(flow))]


def _deny_everything() -> Policy:
    spec = networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
    )
    return Policy(name="deny-everything", component=EVERYTHING, spec=spec)


def _names() -> Policy:
    """Let every pod look names up: at any pod of the cluster, or at a node's own cache."""
    rule = networking.v1.NetworkPolicyEgressRuleArgs(
        to=[
            networking.v1.NetworkPolicyPeerArgs(namespace_selector=meta.v1.LabelSelectorArgs()),
            networking.v1.NetworkPolicyPeerArgs(ip_block=networking.v1.IPBlockArgs(cidr=LINK_LOCAL)),
        ],
        ports=[networking.v1.NetworkPolicyPortArgs(protocol=each, port=53) for each in ("UDP", "TCP")],
    )
    spec = networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Egress"], egress=[rule]
    )
    return Policy(name="allow-names", component=EVERYTHING, spec=spec)


def _allow(flow: Flow) -> list[Policy]:
    """Allow one relation: that it goes out, and that it comes in, where that is ours to say."""
    name = f"{flow.source}-to-{flow.to}" + ("" if flow.port == ANY_PORT else f"-{flow.port}")
    out = Policy(name=f"{name}-out", component=flow.source, spec=_egress(flow))
    into = Policy(name=f"{name}-in", component=flow.to, spec=_ingress(flow))
    return [*([out] if flow.source != ANYWHERE else []), *([into] if flow.to != INTERNET else [])]


def _egress(flow: Flow) -> networking.v1.NetworkPolicySpecArgs:
    internet = flow.to == INTERNET
    rule = networking.v1.NetworkPolicyEgressRuleArgs(
        to=_outside() if internet else [_pods(flow.to)], ports=_ports(flow)
    )
    return networking.v1.NetworkPolicySpecArgs(pod_selector=_of(flow.source), policy_types=["Egress"], egress=[rule])


def _ingress(flow: Flow) -> networking.v1.NetworkPolicySpecArgs:
    rule = networking.v1.NetworkPolicyIngressRuleArgs(
        from_=None if flow.source == ANYWHERE else [_pods(flow.source)], ports=_ports(flow)
    )
    return networking.v1.NetworkPolicySpecArgs(pod_selector=_of(flow.to), policy_types=["Ingress"], ingress=[rule])


def _outside() -> list[networking.v1.NetworkPolicyPeerArgs]:
    """Give every address but those where a machine's credentials are. Other pods refuse for themselves."""
    return [
        networking.v1.NetworkPolicyPeerArgs(ip_block=networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=[LINK_LOCAL])),
        networking.v1.NetworkPolicyPeerArgs(
            ip_block=networking.v1.IPBlockArgs(cidr="::/0", except_=["fd00:ec2::254/128", "fe80::/10"])
        ),
    ]


def _ports(flow: Flow) -> list[networking.v1.NetworkPolicyPortArgs] | None:
    return None if flow.port == ANY_PORT else [networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=flow.port)]


def _pods(role: str) -> networking.v1.NetworkPolicyPeerArgs:
    return networking.v1.NetworkPolicyPeerArgs(pod_selector=_of(role))


def _of(role: str) -> meta.v1.LabelSelectorArgs:
    return meta.v1.LabelSelectorArgs(match_labels={COMPONENT: role})
