"""What may be added to the cluster, and what of the enforcement of policies is taken away with it."""

import subprocess

import pytest

from pipeline.console import PipelineError
from tools.airgap.cluster import enforcement, extras, network
from tools.bootstrapping import golang

ENFORCED = """\
*filter
:INPUT ACCEPT [0:0]
:KUBE-ROUTER-INPUT - [0:0]
:KUBE-POD-FW-AAAA - [0:0]
-A INPUT -m comment --comment "kube-router netpol - 4IA2" -j KUBE-ROUTER-INPUT
-A INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT" -m mark --mark 0x20000/0x20000 -j ACCEPT
-A INPUT -s 192.0.2.9/32 -j DROP
-A KUBE-ROUTER-INPUT -s 10.244.0.2/32 -j KUBE-POD-FW-AAAA
COMMIT
"""


def test_several_addons_are_read_each_once() -> None:
    """Names are separated as a person writes them."""
    assert extras.chosen(" ingress,cert-manager  ingress") == ["ingress", "cert-manager"]
    assert extras.chosen("") == []


def test_an_unknown_addon_is_refused_by_name() -> None:
    """With those that there are, before anything is started."""
    with pytest.raises(PipelineError, match="there is no addon") as refused:
        extras.chosen("ingress nginx")
    assert '"nginx"' in str(refused.value)


def test_every_addon_takes_files_that_its_module_has() -> None:
    """No kind belongs to no addon, and the ingress controller comes with the kinds that it watches."""
    brought = {path.rpartition("/")[2] for _, path in golang.KINDS.extra}

    assert {kind for each in extras.EXTRAS.values() for kind in each.kinds} == brought
    assert extras.EXTRAS["ingress"].kinds == extras.EXTRAS["gateway-api"].kinds


def test_the_rules_of_policies_are_taken_away_and_no_other() -> None:
    """Also the one in a chain of the kernel that lets through what policies allow; a rule of somebody else stays."""
    removed = network.removals(ENFORCED)

    assert removed.splitlines() == [
        "*filter",
        '-D INPUT -m comment --comment "kube-router netpol - 4IA2" -j KUBE-ROUTER-INPUT',
        '-D INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT" -m mark --mark 0x20000/0x20000 -j ACCEPT',
        "-F KUBE-ROUTER-INPUT",
        "-F KUBE-POD-FW-AAAA",
        "-X KUBE-ROUTER-INPUT",
        "-X KUBE-POD-FW-AAAA",
        "COMMIT",
    ]


def test_the_sets_of_policies_are_taken_away_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are known by their names."""
    ran: list[tuple[str, ...]] = []

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, "KUBE-SRC-A\nmine\nKUBE-DST-B\n", "")

    monkeypatch.setattr(enforcement, "_run", run)

    enforcement.remove()

    assert ran[1:] == [("ipset", "destroy", "KUBE-SRC-A"), ("ipset", "destroy", "KUBE-DST-B")]
