"""What the cluster changes of the host's network and kernel settings, and how that is taken back.

It owns the two bridges, the rules marked as its own, and the memory of what the settings were. Rules of kube-proxy,
of the kubelet and of addons are known by the names of their chains.
"""

import contextlib
import ipaddress
import itertools
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.console import problem
from tools.airgap.cluster import enforcement, place, programs
from tools.bootstrapping import places

MARK = "slipway-cluster"
CHAINS = re.compile(r"(KUBE|CNI)-")
"""How the chains of kube-proxy, the kubelet, network policies and port maps begin."""

CHANGED = (
    *("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet"),
    *("net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"),
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"),
    *("kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"),
)
"""Settings that the cluster, the kubelet or kube-proxy change."""

NEEDED = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
SECONDS = 30

_TRIES = 5  # somebody else may change the rules between reading and writing them


def rules() -> list[tuple[str, str, list[str]]]:
    """Our rules: table, how it is added, the rule. Docker lets nothing through that is not its own."""
    ours = ["-m", "comment", "--comment", MARK, "-j"]
    return [
        ("filter", "-I", ["FORWARD", "-s", place.POD_NETWORK, *ours, "ACCEPT"]),
        ("filter", "-I", ["FORWARD", "-d", place.POD_NETWORK, *ours, "ACCEPT"]),
        ("nat", "-A", ["POSTROUTING", "-s", place.POD_NETWORK, "!", "-o", place.POD_BRIDGE, *ours, "MASQUERADE"]),
    ]


def ensure() -> bool:
    """Bring the node's bridge, our rules and the settings; whether anything was missing."""
    _remember()
    changed = False
    for name, value in NEEDED.items():
        changed |= _set(name, value)
    if not exists(place.NODE_BRIDGE):
        _refuse_taken()
        # An address of its own, on a bridge without members: a loopback address cannot be advertised to pods.
        _run("ip", "link", "add", place.NODE_BRIDGE, "type", "bridge")
        changed = True
    addresses = _run("ip", "-o", "-4", "address", "show", "dev", place.NODE_BRIDGE).stdout
    if f" {place.NODE_ADDRESS}/" not in addresses:
        _run("ip", "address", "add", f"{place.NODE_ADDRESS}/24", "dev", place.NODE_BRIDGE)
        changed = True
    _run("ip", "link", "set", place.NODE_BRIDGE, "up")
    for table, add, rule in rules():
        if _run("iptables", "-w", "-t", table, "-C", *rule, check=False).returncode != 0:
            _run("iptables", "-w", "-t", table, add, *rule)
            changed = True
    return changed


def remove() -> None:
    """Take all of it away, also what a cluster that was killed has left."""
    for program in ("iptables", "ip6tables", enforcement.LEGACY):
        if shutil.which(f"{program}-save", path=programs.search()):
            _remove_rules(program)
    for name in (place.POD_BRIDGE, place.NODE_BRIDGE):
        if exists(name):
            _run("ip", "link", "delete", name, check=False)
    _restore()


def exists(interface: str) -> bool:
    """Whether there is an interface of that name."""
    return interface in [name for _, name in socket.if_nameindex()]


def _remove_rules(program: str) -> None:
    """Remove every chain and rule of ours in one step for each table, without touching anybody else's."""
    for _ in range(_TRIES):
        tables = removals(_run(f"{program}-save", check=False).stdout)
        if not tables:
            return
        _run(f"{program}-restore", "-w", "5", "--noflush", check=False, text=tables)
    left = removals(_run(f"{program}-save", check=False).stdout)
    if left:
        raise problem(f"rules of the cluster are left in {program}:\n{left}", mend=f"{program}-save; make cluster-down")


def removals(saved: str) -> str:
    """Write what takes our rules and chains out of the tables that were saved; nothing if there are none."""
    texts = []
    for table in re.split(r"^(?=\*)", saved, flags=re.MULTILINE):
        name = table.partition("\n")[0]
        chains = [match[1] for match in re.finditer(r"^:(\S+)", table, re.MULTILINE) if CHAINS.match(match[1])]
        deleted = [f"-D {line[3:]}" for line in table.splitlines() if line.startswith("-A ") and _ours(line)]
        if name.startswith("*") and (chains or deleted):
            flushed = [f"-F {chain}" for chain in chains]
            gone = [f"-X {chain}" for chain in chains]
            texts.append("\n".join([name, *deleted, *flushed, *gone, "COMMIT", ""]))
    return "".join(texts)


def _ours(rule: str) -> bool:
    """Whether a rule of somebody else's chain is ours. Rules of our chains go with the chain."""
    words = rule.split()
    if CHAINS.match(words[1]):
        return False
    jumps = any(CHAINS.match(after) for word, after in itertools.pairwise(words) if word in {"-j", "-g"})
    return jumps or MARK in words or '"KUBE-ROUTER' in words  # the last: what enforcement lets through


def _memory() -> Path:
    return place.root() / "settings-before.json"


def _remember() -> None:
    """Keep what the settings are before the cluster changes them. Kept once: the first time is the true one."""
    if shutil.which("modprobe", path=programs.search()):
        _run("modprobe", "br_netfilter", check=False)  # built in, or loaded by Docker; else it comes now
    if not _memory().exists():
        places.write(_memory(), json.dumps({name: value for name in CHANGED if (value := _get(name))}, indent=1))


def _restore() -> None:
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads(_memory().read_text()).items():
            _set(name, str(value))
    _memory().unlink(missing_ok=True)


def _get(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


def _set(name: str, value: str) -> bool:
    before = _get(name)
    if before is None or before == value:
        return False
    Path("/proc/sys", name).write_text(value)
    return True


def _refuse_taken() -> None:
    """Refuse to take over addresses that something else on this machine uses."""
    routes = json.loads(_run("ip", "-j", "-4", "route", "show", "table", "main").stdout or "[]")
    wanted = (place.NODE_NETWORK, place.POD_NETWORK, place.SERVICE_NETWORK)
    for network, device in overlaps(routes, wanted):
        raise problem(
            f"this machine reaches {network} through {device}, and the cluster needs {' and '.join(wanted)}",
            mend=f"ip route   # take the cluster, VPN or network of {device} down first, or use that cluster",
        )


def overlaps(routes: Iterable[dict[str, str]], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Find routes of others to what the cluster needs."""
    needed = [ipaddress.ip_network(each) for each in wanted]
    found = []
    for route in routes:
        device = route.get("dev", "")
        with contextlib.suppress(ValueError):
            network = ipaddress.ip_network(route["dst"])
            taken = any(network.overlaps(each) for each in needed) and network.prefixlen > 0
            if taken and device not in (place.NODE_BRIDGE, place.POD_BRIDGE):
                found.append((route["dst"], device))
    return found


def _run(*command: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0], path=programs.search()) or command[0]
    done = subprocess.run(
        [program, *command[1:]], input=text, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if check and done.returncode != 0:
        raise problem(f"`{' '.join(command)}` failed: {done.stderr.strip()}", mend="make cluster-down && make cluster")
    return done
